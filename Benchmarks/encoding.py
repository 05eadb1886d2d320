"""Encoding beside sentencepiece, in the same run, on one core and two: `make bench`.

Three figures for each model. "program": our whole process (start, model, reading, encoding, writing the ids to a file)
beside sentencepiece's module that reads the same file, encodes it in one batch call and writes the same ids, its start
and import left out. "call": our process less what it takes for an empty file, beside sentencepiece's batch call alone.
"cores": our second figure on two cores over that on one. The ids of both are compared.
"""

import json
import pathlib
import statistics
import tempfile

from options import ROOT, arguments, texts
from process import header, measure, python, row

# Prints for each run the seconds of the call, and of reading, the call and writing.
PEER = """
import json, sys, time, sentencepiece
model, path, output, threads, runs = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
processor = sentencepiece.SentencePieceProcessor(model_file=model)
calls, wholes = [], []
for _ in range(runs):
    start = time.monotonic()
    lines = open(path, 'rb').read().removesuffix(b'\\n').split(b'\\n')
    called = time.monotonic()
    ids = processor.encode(lines, num_threads=threads)
    returned = time.monotonic()
    with open(output, 'w') as file:
        file.write(''.join(' '.join(map(str, line)) + '\\n' for line in ids))
    wholes.append(time.monotonic() - start)
    calls.append(returned - called)
print(json.dumps([calls, wholes]))
"""


def corpus(directory, shared):
    """About 48 MB of Chinese: less is over before two cores are busy."""
    text = b"".join(path.read_bytes() for path in texts(shared, "*zh*.txt"))
    joined = directory / "corpus.txt"
    joined.write_bytes(text * max(1, round(48e6 / len(text))))
    return joined


def models(program, shared, directory):
    """Name and path of each model to encode with."""
    base, added = shared / "tokenizers/llama-32k.model", shared / "tokenizers/chinese-20k.model"
    if base.exists() and added.exists():
        measure([program, "merge", "--policy", "append", "--base", base, "--add", added, "--out", directory / "merged"])
    candidates = {
        "merged 49,953 (BPE)": directory / "merged/tokenizer.model",
        "merged of the main job (BPE)": ROOT / "out/tokenizer/tokenizer.model",
        "LLaMA's 32,000 (BPE)": base,
        "Chinese 20,000 (unigram)": added,
        "own 20,000 (BPE)": ROOT / "vocab/zh-20k.model",
    }
    return {name: path for name, path in candidates.items() if path.exists()}


def seconds(command, cores, runs, output="/dev/null"):
    return statistics.median(measure(command, cores, output).seconds for _ in range(runs))


def bench(program, name, model, text, directory, runs):
    size = text.stat().st_size / 1e6
    empty = directory / "empty"
    empty.write_bytes(b"")
    ours, theirs, calls = directory / "ours.ids", directory / "theirs.ids", {}
    for cores in (1, 2):
        label = f"{name}, {cores} core{'s' if cores > 1 else ''}"
        command = [program, "encode", "--output-format", "id", "--threads", cores, "--model", model, "--input"]
        whole = seconds([*command, text], cores, runs, ours)
        start = seconds([*command, empty], cores, runs)
        report = directory / "seconds.json"
        measure(python(PEER, model, text, theirs, cores, runs), cores, report)
        their_calls, their_wholes = map(statistics.median, json.loads(report.read_text()))
        row(f"{label}, program", size / whole, size / their_wholes, "MB/s", higher_is_better=True)
        row(f"{label}, call", size / (whole - start), size / their_calls, "MB/s", higher_is_better=True)
        calls[cores] = whole - start
        if ours.read_bytes() != theirs.read_bytes():
            raise RuntimeError(f"{label}: the ids differ")
    print(f"{name}: two cores {calls[1] / calls[2]:.2f} times one; the ids are identical", flush=True)


def main():
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        text = corpus(directory, options.shared)
        print(f"encoding {text.stat().st_size / 1e6:.1f} MB; medians of {options.runs} runs", flush=True)
        header("sentencepiece")
        for label, model in models(options.kuoci, options.shared, directory).items():
            bench(options.kuoci, label, model, text, directory, options.runs)


if __name__ == "__main__":
    main()
