"""Resizing and exporting a checkpoint beside cp, resizing beside transformers: time with all bytes on the disk, and memory.

Each is run in turn with the others, from a cold page cache where this machine lets us empty it, and the medians count.
--large takes a checkpoint of LLaMA 7B's shape (13.5 GB; 28 GB of disk are needed) in files of at most --max-shard-size.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import process

ROOT = pathlib.Path(__file__).resolve().parents[1]
VOCABULARY = 49_953

# Without mean_resizing, its default, whose covariance alone takes longer than 9 minutes at width 4096 on two cores.
TRANSFORMERS = """
import sys, torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype="auto", low_cpu_mem_usage=True)
model.resize_token_embeddings(int(sys.argv[3]), mean_resizing=False)
model.save_pretrained(sys.argv[2], max_shard_size=sys.argv[4])
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--large", action="store_true", help="a checkpoint of LLaMA 7B's shape")
    parser.add_argument("--model", help="a checkpoint that is there already, with its tokenizer.model, in place of a new one")
    parser.add_argument("--tokenizer", help="the merged tokenizer for --model")
    parser.add_argument("--max-shard-size", default="5GB")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, of which the median counts")
    parser.add_argument(
        "--only", default="cp,resize,resize --init mean,resize --link,export,transformers", help="which of them, by name")
    parser.add_argument("--work", help="where to write (default: the directory for temporary files)")
    return parser.parse_args()


def make_model(options, work):
    """A checkpoint and a merged tokenizer with 17,953 new entries more, made up with unused pieces where need be."""
    if options.model:
        return pathlib.Path(options.model), pathlib.Path(options.tokenizer)
    base = next(path for path in (
        ROOT / ".deps/base/tokenizer.model", ROOT.parent / "shared/data/tokenizers/llama-32k.model") if path.exists())
    tokenizer, model = work / "tokenizer", work / "model"
    process.measure([
        options.kuoci, "merge", "--policy", "append", "--base", base, "--add", ROOT / "vocab/zh-20k.model", "--out",
        tokenizer, "--pad-to-multiple", VOCABULARY])
    preset = "llama-7b" if options.large else "medium"
    process.measure([
        options.kuoci, "init", "--preset", preset, "--tokenizer", base, "--out", model, "--max-shard-size",
        options.max_shard_size])
    return model, tokenizer


# An adapter as PEFT writes it: rank 8 on the four projections of each layer's attention, embedding and head whole.
ADAPTER = """
import json, pathlib, sys, torch
from safetensors.torch import save_file
config, out = json.loads(pathlib.Path(sys.argv[1], "config.json").read_text()), pathlib.Path(sys.argv[2])
out.mkdir()
generator, width = torch.Generator().manual_seed(1), config["hidden_size"]
heads, keys = config["num_attention_heads"], config.get("num_key_value_heads") or config["num_attention_heads"]
head = config.get("head_dim") or width // heads
shapes = {"q": (heads * head, width), "k": (keys * head, width), "v": (keys * head, width), "o": (width, heads * head)}
def draw(*shape):
    return torch.randn(shape, generator=generator) * 0.01
tensors = {}
for layer in range(config["num_hidden_layers"]):
    for name, (rows, columns) in shapes.items():
        place = f"base_model.model.model.layers.{layer}.self_attn.{name}_proj"
        tensors[place + ".lora_A.weight"], tensors[place + ".lora_B.weight"] = draw(8, columns), draw(rows, 8)
for name in ("base_model.model.model.embed_tokens.weight", "base_model.model.lm_head.weight"):
    tensors[name] = draw(config["vocab_size"], width).to(torch.bfloat16)
save_file(tensors, out / "adapter_model.safetensors", metadata={"format": "pt"})
(out / "adapter_config.json").write_text(json.dumps({
    "peft_type": "LORA", "r": 8, "lora_alpha": 32, "target_modules": [f"{name}_proj" for name in shapes],
    "modules_to_save": ["embed_tokens", "lm_head"]}))
"""


def empty_page_cache():
    """Whether it could be done."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def cold(command, out):
    """One run from a cold cache into a new directory; what it left in memory is on the disk when the time is taken."""
    shutil.rmtree(out, ignore_errors=True)
    empty_page_cache()
    return process.measure(["/bin/sh", "-c", '"$@" && sync', "sh", *command])


def probe(path):
    """Seconds to read the checkpoint from a cold cache."""
    files = sorted(map(str, path.glob("*.safetensors")))
    empty_page_cache()
    return process.measure(["/bin/sh", "-c", 'cat "$@" > /dev/null', "sh", *files]).seconds


def run_all(options, model, tokenizer, work):
    out = work / "out"
    resize = [options.kuoci, "resize", "--model", model, "--tokenizer", tokenizer, "--out", out, "--progress", "none"]
    commands = {
        "cp": ["cp", "-r", "--reflink=never", model, out],
        "resize": [*resize, "--init", "subword-mean"],
        "resize --init mean": [*resize, "--init", "mean"],
        "resize --link": [*resize, "--init", "subword-mean", "--link"],
    }
    if "export" in options.only.split(","):
        process.measure(process.python(ADAPTER, model, work / "adapter"))
        commands["export"] = [
            options.kuoci, "export", "--model", model, "--adapter", work / "adapter", "--out", out, "--progress", "none"]
    commands["transformers"] = process.python(TRANSFORMERS, model, out, VOCABULARY, options.max_shard_size)
    commands = {name: command for name, command in commands.items() if name in options.only.split(",")}
    runs = {name: [] for name in commands}
    for number in range(options.runs):
        for name, command in commands.items():
            usage = cold(command, out)
            runs[name].append(usage)
            load = os.getloadavg()[0]
            print(
                f"  {number + 1}: {name:<20} {usage.seconds:7.1f} s, {usage.processor_seconds:6.1f} s of processor time, "
                f"{usage.peak_bytes / 1e6:7.0f} MB, load {load:.1f}", flush=True)
    shutil.rmtree(out, ignore_errors=True)
    return runs


def report(runs):
    medians = {name: process.medians(usages) for name, usages in runs.items()}
    peers = [name for name in ("cp", "transformers") if name in medians]
    ours = [name for name in medians if name not in peers]
    for peer in peers:
        process.header(peer)
        for name in ours:
            if peer == "transformers" and name == "export":
                continue
            process.row(f"{name}: seconds", medians[name][0], medians[peer][0], "s", False)
            process.row(f"{name}: peak memory", medians[name][1] / 1e6, medians[peer][1] / 1e6, "MB", False)
    for name in ours if "cp" in runs else []:
        ratios = [ours.seconds / cp.seconds for ours, cp in zip(runs[name], runs["cp"])]
        print(f"{name} takes {statistics.median(ratios):.2f} times as long as cp -r and sync "
              f"(runs: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    if "resize --init mean" in runs and "resize" in runs:
        share = (statistics.median(run.processor_seconds for run in runs["resize"])
                 - statistics.median(run.processor_seconds for run in runs["resize --init mean"]))
        print(f"subword-mean takes {share:.1f} s of processor time more than mean")


def main():
    options = arguments()
    options.kuoci = os.path.abspath(options.kuoci)
    with tempfile.TemporaryDirectory(prefix="kuoci-bench-", dir=options.work) as directory:
        work = pathlib.Path(directory)
        model, tokenizer = make_model(options, work)
        size = sum(path.stat().st_size for path in model.glob("*.safetensors"))
        count = len(list(model.glob("*.safetensors")))
        cache = "cold" if empty_page_cache() else "warm (it cannot be emptied here)"
        print(f"{size / 1e9:.1f} GB in {count} files, {cache} page cache, {os.cpu_count()} cores", flush=True)
        print(f"  reading it takes {probe(model):.1f} s", flush=True)
        report(run_all(options, model, tokenizer, work))


if __name__ == "__main__":
    main()
