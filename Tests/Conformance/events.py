"""Opens the TensorBoard event files of pretraining runs by TensorBoard's own reader, and compares them with the logs.

One run goes through. A copy of it loses its result and its last checkpoint, as if it had been killed in its last step, and
is resumed.
"""

import json
import pathlib
import shutil
import struct
import tempfile

import harness
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

STEPS = 3
HELD_OUT = "zh"
TIMES = {"tokens_per_second": "targets_per_second", "matmul_share": "matmul_share", "peak_memory_bytes": "peak_memory_bytes"}


def make_model(options, work):
    tokenizer = harness.ROOT / ".deps/base/tokenizer.model"
    if not tokenizer.exists():
        raise RuntimeError("no base tokenizer: run `make conformance`, which fetches it")
    harness.kuoci(
        options.kuoci, "init", "--preset", "nano", "--tokenizer", tokenizer, "--out", work / "nano", "--seed", 1)


def pretrain(options, work, run, *more):
    corpora = harness.ROOT / "corpora"
    harness.kuoci(
        options.kuoci, "pretrain", "--model", work / "nano", "--stage", "full", "--text", corpora / "sample.en.txt",
        "--heldout", f"{HELD_OUT}={corpora / 'sample.zh.txt'}", "--out", run, "--steps", STEPS, "--batch-size", 2,
        "--block-size", 64, "--evaluate-every", 2, "--save-every", 1, "--threads", 1, "--progress", "none", *more)


def lines(path):
    return [json.loads(line) for line in harness.lines(path)]


def single(value):
    """Rounded to float32, as events hold numbers."""
    return struct.unpack("f", struct.pack("f", value))[0]


def logged(run):
    """(step, value) of each tag, from log.jsonl and timing.jsonl."""
    found = {}

    def add(tag, line, key):
        if line[key] is not None:
            found.setdefault(tag, []).append((line["step"], single(line[key])))

    for line in lines(run / "log.jsonl"):
        if line["event"] == "step":
            for key in ("loss", "bits_per_byte", "learning_rate", "gradient_norm", "total_targets"):
                add(f"train/{key}", line, key)
        if line["event"] == "evaluation":
            for key in ("loss", "perplexity", "bits_per_byte"):
                add(f"heldout/{line['set']}/{key}", line, key)
    for line in lines(run / "timing.jsonl"):
        for tag, key in TIMES.items():
            add(f"machine/{tag}", line, key)
    return found


def recorded(run):
    """(step, value) of each tag, as TensorBoard reads them: all of them, and a step that is there twice twice."""
    reader = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0}, purge_orphaned_data=False)
    reader.Reload()
    return {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def compare(report, name, run):
    ours, theirs = logged(run), recorded(run)
    differences = [(tag, ours.get(tag), theirs.get(tag)) for tag in sorted(ours | theirs) if ours.get(tag) != theirs.get(tag)]
    count = sum(len(points) for points in theirs.values())
    report.equal(name, f"{count} numbers of {len(theirs)} tags", differences)


def check_whole(report, name, options, work):
    pretrain(options, work, work / "whole")
    compare(report, name, work / "whole")


def check_resumed(report, name, options, work):
    whole, run = work / "whole", work / "resumed"
    shutil.copytree(whole, run)
    (run / "kuoci.json").unlink()
    for part in ("model", f"checkpoints/step-{STEPS:06}"):
        shutil.rmtree(run / part)
    pretrain(options, work, run, "--resume")
    compare(report, name, run)
    files = [sorted(path.name for path in (directory / "tensorboard").iterdir()) for directory in (whole, run)]
    report.equal(name + ", in the same file", files[0][0], harness.differences(*files))


def main():
    options = harness.arguments(__doc__.splitlines()[0])
    report = harness.Report(options.only)
    with tempfile.TemporaryDirectory(prefix="kuoci-events-") as directory:
        work = pathlib.Path(directory)
        make_model(options, work)
        report.run("events of a run", check_whole, options, work)
        report.run("events of a run that was resumed", check_resumed, options, work)
    report.end()


if __name__ == "__main__":
    main()
