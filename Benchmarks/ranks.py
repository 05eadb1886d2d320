"""Pretraining by several processes under mpirun: seconds a step, processor time and the largest process' peak memory.

Beside one process on all processors stand as many processes as `--ranks` says, each with its part of them, the
optimizer's state whole in each and shared out. Several `--kuoci` are run in turn, so that a change stands beside what was
before. The time is the median of all steps but each run's first.
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile

import process

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Open MPI by itself takes neither root nor, here, more processes than cores; MPICH passes these by.
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--kuoci", action="append", help="a program to measure (default: .build/release/kuoci); may be given again")
    parser.add_argument("--model", default=str(ROOT / "out/resized"), help="a checkpoint (default: the main job's)")
    parser.add_argument("--stage", default="embeddings")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("--accumulation", type=int, default=2)
    parser.add_argument("--mpirun", default="", help="more options for mpirun, such as '--bind-to none'")
    return parser.parse_args()


def run(options, program, ranks, more, work):
    """Seconds of each step but the first; processor time and peak memory of the whole run."""
    launcher = ["mpirun", "-np", ranks, *options.mpirun.split()] if ranks > 1 else []
    out = work / "run"
    rows = ["--train-rows", "all"] if options.stage == "embeddings" else []
    measured = process.measure([
        *launcher, program, "pretrain", "--stage", options.stage, *rows, "--model", options.model, "--text",
        ROOT / "corpora/sample.zh.txt", "--out", out, "--steps", options.steps, "--batch-size", options.batch,
        "--block-size", options.block, "--accumulation", options.accumulation, "--threads",
        max(1, len(os.sched_getaffinity(0)) // ranks), "--progress", "none", "--force", *more])
    timing = [json.loads(line) for line in (out / "timing.jsonl").read_text().splitlines()]
    return [line["seconds"] for line in timing[1:]], measured


def main():
    options = arguments()
    os.environ.update(ENVIRONMENT)
    programs = options.kuoci or [str(ROOT / ".build/release/kuoci")]
    kinds = {"1 process": (1, [])}
    kinds[f"{options.ranks} processes"] = (options.ranks, [])
    kinds[f"{options.ranks} processes, --shard-optimizer"] = (options.ranks, ["--shard-optimizer"])
    results = {}
    with tempfile.TemporaryDirectory(prefix="kuoci-ranks-") as directory:
        for _ in range(options.rounds):
            for program in programs:
                for kind, (ranks, more) in kinds.items():
                    try:
                        found = run(options, program, ranks, more, pathlib.Path(directory))
                    except Exception as error:
                        # An older program may not know the option.
                        print(f"{program}, {kind}: {str(error).strip().splitlines()[-1]}")
                        continue
                    results.setdefault((program, kind), []).append(found)
    print(f"stage {options.stage}, {options.batch * options.accumulation} blocks of {options.block} a step")
    for (program, kind), runs in results.items():
        seconds = statistics.median(value for steps, _ in runs for value in steps)
        processor = statistics.median(measured.processor_seconds for _, measured in runs)
        memory = max(measured.peak_bytes for _, measured in runs)
        print(f"{program}, {kind}: {seconds:.3f} s a step, {processor:.1f} s of processor time, {memory / 1e9:.3f} GB at most")


if __name__ == "__main__":
    main()
