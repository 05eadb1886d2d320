"""Both pretraining stages beside transformers and PEFT: tokens a second and peak memory, on the same batches.

Stage 1 with all rows, stage 1 with new rows alone (beside the peer that trains all), stage 2; then our own step as the
vocabulary grows. Each side is a process of its own: the speed is the median of its steps but the first, the memory what wait4 reports.
The peer trains as PEFT is used: scaled-dot-product attention with the same block-diagonal mask, all rows of embedding
and head, float32. Equal losses show that both did the same work.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import process

ROOT = pathlib.Path(__file__).resolve().parents[1]
VOCABULARY = 49953
BASE_VOCABULARY = 32000
RANK, ALPHA = 8, 32
TARGETS = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"
RATE = 2e-4


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"), help="the program to measure")
    parser.add_argument("--text", help="a .txt to train on (default: the committed samples, repeated)")
    parser.add_argument("--shapes", default="256x4,512x8", help="widths and numbers of layers")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--block", type=int, default=512)
    parser.add_argument(
        "--large", action="store_true", help="only one step of a 7B checkpoint, which takes 28 GB of disk, 17 GB of memory and 10 minutes")
    parser.add_argument("--peer", nargs=3, metavar=("STAGE", "MODEL", "RUN"), help=argparse.SUPPRESS)
    return parser.parse_args()


def make_model(directory, options, vocabulary, width, layers):
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(1)
    heads = max(1, width // 64)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=width * 11 // 4 // 8 * 8,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=heads,
        max_position_embeddings=max(2048, options.block))
    transformers.LlamaForCausalLM(config).save_pretrained(directory)
    shutil.copy(next(path for path in base_tokenizers() if path.exists()), directory / "tokenizer.model")


def base_tokenizers():
    return ROOT / ".deps/base/tokenizer.model", ROOT.parent / "shared/data/tokenizers/llama-32k.model"


def training_text(work, options):
    if options.text:
        return options.text
    text = work / "text.txt"
    samples = sorted((ROOT / "corpora").glob("sample.*.txt"))
    text.write_bytes(b"".join(sample.read_bytes() for sample in samples) * 4)
    return text


def pretrain(options, model, text, stage, out, steps, *more):
    rows = ["--train-rows", "all"] if stage == "embeddings" else []
    return process.measure([
        options.kuoci, "pretrain", *rows, "--model", model, "--text", text, "--stage", stage, "--out", out, "--steps",
        steps, "--batch-size", options.batch, "--block-size", options.block, "--learning-rate", RATE, "--lora-rank", RANK,
        "--lora-alpha", ALPHA, "--lora-dropout", 0, "--lora-targets", TARGETS, "--progress", "none", *more])


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# The peer's process


def peer_model(stage, model, run):
    import peft
    import torch
    import transformers

    base = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    if stage == "lora":
        return peft.PeftModel.from_pretrained(base, run / "initial/adapter", is_trainable=True)
    for name, parameter in base.named_parameters():
        parameter.requires_grad = "embed_tokens" in name or "lm_head" in name
    return base


def train_peer(options):
    import math

    import torch
    import transformers
    from safetensors.torch import load_file

    stage, model, run = options.peer[0], options.peer[1], pathlib.Path(options.peer[2])
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    network = peer_model(stage, model, run).train()
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.95), eps=1e-8, weight_decay=0)
    causal = torch.ones(options.block, options.block, dtype=torch.bool).tril()
    for step, path in enumerate(sorted((run / "batches").glob("*.safetensors"))):
        start = time.perf_counter()
        batch = load_file(path)
        documents, targets = batch["documents"], batch["targets"].long()
        allowed = ((documents[:, :, None] == documents[:, None, :]) & causal)[:, None]
        mask = torch.where(allowed, 0.0, torch.finfo(torch.float32).min)
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / options.steps))
        optimizer.zero_grad()
        logits = network(
            input_ids=batch["tokens"].long(), position_ids=batch["positions"].long(), attention_mask=mask).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        del logits
        print(json.dumps({"loss": loss.item(), "seconds": time.perf_counter() - start}), flush=True)


def peer(options, stage, model, run):
    output = run / "peer.jsonl"
    shape = ["--steps", options.steps, "--batch", options.batch, "--block", options.block]
    usage = process.measure(
        [sys.executable, pathlib.Path(__file__), *shape, "--peer", stage, model, run], output_path=output)
    return usage, lines(output)


# The table


def median_speed(steps, tokens):
    return tokens / statistics.median(step["seconds"] for step in steps[1:])


def step_losses(path):
    return [step["loss"] for step in lines(path) if step["event"] == "step"]


def compare(name, stage, options, model, text, run, rows="all"):
    if stage == "lora":
        pretrain(options, model, text, stage, run / "initial", 0)
    # Once before, so that the text is tokenized; then neither side pays for it.
    more = ["--cache", run / "tokens", "--train-rows", rows, "--first-new-row", BASE_VOCABULARY]
    pretrain(options, model, text, stage, run / "warm", 0, *more)
    ours = pretrain(options, model, text, stage, run / "ours", options.steps, "--record-batches", run / "batches", *more)
    theirs, their_steps = peer(options, stage, model, run)
    our_steps = lines(run / "ours/timing.jsonl")
    tokens = options.batch * options.block
    process.row(
        f"{name}: tokens/s", median_speed(our_steps, tokens), median_speed(their_steps, tokens), "1/s", True)
    process.row(f"{name}: peak memory", ours.peak_bytes / 1e9, theirs.peak_bytes / 1e9, "GB", False)
    losses = step_losses(run / "ours/log.jsonl")
    # The peer trains all rows in any case: with new rows alone only the first step starts from the same weights.
    equal = len(losses) if rows == "all" else 1
    difference = max(abs(a - b["loss"]) / b["loss"] for a, b in zip(losses[:equal], their_steps))
    print(f"  {equal} equal step{'s' if equal > 1 else ''}: the losses differ by {difference:.1e} at most", flush=True)


def bench_against_peer(options, work, width, layers):
    work.mkdir()
    print(
        f"pretraining: width {width}, {layers} layers, vocabulary {VOCABULARY}, "
        f"{options.batch} blocks of {options.block}, {len(os.sched_getaffinity(0))} cores", flush=True)
    process.header("transformers")
    model = work / "model"
    make_model(model, options, VOCABULARY, width, layers)
    text = training_text(work, options)
    for number, (name, stage, rows) in enumerate((
            ("stage 1, all rows of both sides", "embeddings", "all"),
            ("stage 1, new rows (the peer: all)", "embeddings", "new"),
            ("stage 2, LoRA on 7 projections", "lora", "all"))):
        run = work / f"run-{number}"
        run.mkdir()
        compare(name, stage, options, model, text, run, rows)


def bench_growth(options, work, width, layers):
    """Our own stage 1 as the vocabulary grows: what the head costs must not grow faster than its rows."""
    print(f"\nour step as the vocabulary grows (stage 1, all rows, width {width}, {layers} layers)")
    text = training_text(work, options)
    first = None
    for vocabulary in (BASE_VOCABULARY, VOCABULARY, 100_000):
        model, run = work / f"model-{vocabulary}", work / f"growth-{vocabulary}"
        make_model(model, options, vocabulary, width, layers)
        pretrain(options, model, text, "embeddings", run, options.steps, "--train-rows", "all")
        seconds = statistics.median(step["seconds"] for step in lines(run / "timing.jsonl")[1:])
        first = first or seconds
        print(f"{vocabulary:>8} entries ({vocabulary / BASE_VOCABULARY:4.2f} x): {seconds:6.2f} s a step "
              f"({seconds / first:4.2f} x)", flush=True)
        shutil.rmtree(run)
        shutil.rmtree(model)


def bench_large(options, work):
    """One stage-1 step of a 7B checkpoint in bfloat16, of 64 tokens, on the new rows alone: the whole program's memory."""
    print(f"7B, bfloat16, vocabulary {VOCABULARY}: one stage-1 step of 64 tokens, new rows", flush=True)
    base = next(path for path in base_tokenizers() if path.exists())
    tokenizer, model, run = work / "tokenizer", work / "model", work / "run"
    addition = ROOT / "vocab/zh-20k.model"
    # Fewer pieces are new beside this base than beside the published pair's: unused ones make up the number.
    process.measure([
        options.kuoci, "merge", "--policy", "append", "--base", base, "--add", addition, "--out", tokenizer,
        "--pad-to-multiple", VOCABULARY])
    made = process.measure([options.kuoci, "init", "--preset", "llama-7b", "--tokenizer", tokenizer, "--out", model])
    print(f"  kuoci init: {made.seconds:.0f} s, {made.peak_bytes / 1e9:.2f} GB of memory", flush=True)
    options.batch, options.block = 1, 64
    whole = pretrain(
        options, model, training_text(work, options), "embeddings", run, 1, "--train-rows", "new", "--first-new-row", BASE_VOCABULARY)
    step = lines(run / "timing.jsonl")[-1]["seconds"]
    print(
        f"  the step {step:.1f} s; with reading, hashing and writing {whole.seconds:.0f} s; "
        f"{whole.peak_bytes / 1e9:.2f} GB of memory at most", flush=True)


def main():
    options = arguments()
    if options.peer:
        return train_peer(options)
    options.kuoci = os.path.abspath(options.kuoci)
    with tempfile.TemporaryDirectory(prefix="kuoci-bench-") as directory:
        work = pathlib.Path(directory)
        if options.large:
            return bench_large(options, work)
        shapes = [tuple(map(int, shape.split("x"))) for shape in options.shapes.split(",")]
        for width, layers in shapes:
            bench_against_peer(options, work / f"{width}x{layers}", width, layers)
        bench_growth(options, work, *shapes[0])


if __name__ == "__main__":
    main()
