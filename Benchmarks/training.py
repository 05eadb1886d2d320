"""Both pretraining stages beside transformers and PEFT: tokens a second and peak memory, on the same batches.

Each side is a process of its own: the speed is the median of its steps but the first, the memory what wait4 reports.
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
RANK, ALPHA = 8, 32
TARGETS = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"
RATE = 2e-4


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"), help="the program to measure")
    parser.add_argument("--text", help="a .txt to train on (default: the committed samples, repeated)")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--block", type=int, default=512)
    parser.add_argument("--peer", nargs=3, metavar=("STAGE", "MODEL", "RUN"), help=argparse.SUPPRESS)
    return parser.parse_args()


def make_model(directory, options):
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(1)
    heads = max(1, options.width // 64)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=options.width, intermediate_size=options.width * 11 // 4 // 8 * 8,
        num_hidden_layers=options.layers, num_attention_heads=heads, num_key_value_heads=heads,
        max_position_embeddings=max(2048, options.block))
    transformers.LlamaForCausalLM(config).save_pretrained(directory)
    candidates = [ROOT / ".deps/base/tokenizer.model", ROOT.parent / "shared/data/tokenizers/llama-32k.model"]
    shutil.copy(next(path for path in candidates if path.exists()), directory / "tokenizer.model")


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
        options.kuoci, "pretrain", *rows, "--model", model, "--text", text, "--stage", stage, "--out", out, "--steps", steps,
        "--batch-size", options.batch, "--block-size", options.block, "--learning-rate", RATE, "--lora-rank", RANK,
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


def compare(name, stage, options, model, text, run):
    if stage == "lora":
        pretrain(options, model, text, stage, run / "initial", 0)
    # Once before, so that the text is tokenized; then neither side pays for it.
    cache = ["--cache", run / "tokens"]
    pretrain(options, model, text, stage, run / "warm", 0, *cache)
    ours = pretrain(options, model, text, stage, run / "ours", options.steps, "--record-batches", run / "batches", *cache)
    theirs, their_steps = peer(options, stage, model, run)
    our_steps = lines(run / "ours/timing.jsonl")
    tokens = options.batch * options.block
    process.row(
        f"{name}: tokens/s", median_speed(our_steps, tokens), median_speed(their_steps, tokens), "1/s", True)
    process.row(f"{name}: peak memory", ours.peak_bytes / 1e9, theirs.peak_bytes / 1e9, "GB", False)
    losses = [step["loss"] for step in lines(run / "ours/log.jsonl") if step["event"] == "step"]
    difference = max(abs(a - b["loss"]) / b["loss"] for a, b in zip(losses, their_steps, strict=True))
    print(f"  {len(losses)} equal steps: the losses differ by {difference:.1e} at most", flush=True)


def main():
    options = arguments()
    if options.peer:
        return train_peer(options)
    options.kuoci = os.path.abspath(options.kuoci)
    print(
        f"pretraining: width {options.width}, {options.layers} layers, vocabulary {VOCABULARY}, "
        f"{options.batch} blocks of {options.block}, {len(os.sched_getaffinity(0))} cores", flush=True)
    process.header("transformers")
    with tempfile.TemporaryDirectory(prefix="kuoci-bench-") as directory:
        work = pathlib.Path(directory)
        model = work / "model"
        make_model(model, options)
        text = training_text(work, options)
        for name, stage in (("stage 1, embedding and head", "embeddings"), ("stage 2, LoRA on 7 projections", "lora")):
            run = work / stage
            run.mkdir()
            compare(name, stage, options, model, text, run)


if __name__ == "__main__":
    main()
