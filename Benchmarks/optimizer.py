"""AdamW's moments in 8 bits beside float32: seconds a step, processor time, peak memory, the last loss.

Every weight of a small model trains, so that the optimizer weighs as much as it can. Both are run in turn; the time is the
median of all steps but each run's first, the processor time that of a whole run.
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile

import process

ROOT = pathlib.Path(__file__).resolve().parents[1]
STATES = ("fp32", "int8")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"), help="the program to measure")
    parser.add_argument("--preset", default="small", help="of `kuoci init`")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def run(options, model, state, out):
    """Seconds of each step but the first, what the run took, and its last loss."""
    measured = process.measure([
        options.kuoci, "pretrain", "--stage", "full", "--model", model, "--text", ROOT / "corpora/sample.zh.txt", "--out", out,
        "--steps", options.steps, "--batch-size", 1, "--block-size", 128, "--threads", options.threads,
        "--optimizer-state", state, "--progress", "none", "--force"])
    timing = [json.loads(line) for line in (out / "timing.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in map(json.loads, (out / "log.jsonl").read_text().splitlines()) if line["event"] == "step"]
    return [line["seconds"] for line in timing[1:]], measured, losses[-1]


def main():
    options = arguments()
    results = {state: [] for state in STATES}
    with tempfile.TemporaryDirectory(prefix="kuoci-optimizer-") as directory:
        work = pathlib.Path(directory)
        process.measure([options.kuoci, "init", "--preset", options.preset, "--tokenizer", ROOT / ".deps/base/tokenizer.model",
                         "--out", work / "model"])
        for _ in range(options.rounds):
            for state in STATES:
                results[state].append(run(options, work / "model", state, work / "run"))
    for state, runs in results.items():
        seconds = statistics.median(value for steps, _, _ in runs for value in steps)
        processor = statistics.median(measured.processor_seconds for _, measured, _ in runs)
        memory = max(measured.peak_bytes for _, measured, _ in runs)
        print(f"{state}: {seconds:.3f} s a step, {processor:.1f} s of processor time, {memory / 1e9:.3f} GB at most, "
              f"loss {runs[-1][2]:.4f}")


if __name__ == "__main__":
    main()
