"""A harmless merge that proves itself on a million lines, and lint: seconds and memory, `make bench`.

No other tool does either, so nothing stands beside them; what sentencepiece takes to encode the proof's lines with both
vocabularies, which the proof must do at least, is the measure.
"""

import pathlib
import statistics
import tempfile

from options import ROOT, arguments, texts
from process import measure, python

LINES = 1_000_000

PEER = """
import sys, sentencepiece
lines = open(sys.argv[1], 'rb').read().removesuffix(b'\\n').split(b'\\n')
for model in sys.argv[2:]:
    sentencepiece.SentencePieceProcessor(model_file=model).encode(lines, num_threads=2)
"""


def proof_text(directory):
    """As many lines as asked for, of the English text at hand, over and over."""
    corpus = ROOT / "out/corpus/en.txt"
    lines = (corpus if corpus.exists() else ROOT / "corpora/sample.en.txt").read_bytes().split(b"\n")
    lines = [line for line in lines if line]
    path = directory / "proof.txt"
    path.write_bytes(b"\n".join((lines * (LINES // len(lines) + 1))[:LINES]) + b"\n")
    return path, len(lines)


def median(runs):
    return statistics.median(run.seconds for run in runs), max(run.peak_bytes for run in runs)


def main():
    options = arguments(__doc__)
    base, added = ROOT / ".deps/base/tokenizer.model", ROOT / "vocab/zh-20k.model"
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        proof, different = proof_text(directory)
        merged = directory / "merged"
        print(f"proof: {LINES:,} lines, {different:,} of them different, {proof.stat().st_size / 1e6:.0f} MB; "
              f"medians of {options.runs} runs", flush=True)
        merge = [options.kuoci, "merge", "--base", base, "--add", added, "--out", merged, "--force"]
        plain = median([measure(merge) for _ in range(options.runs)])
        proven = median([measure([*merge, "--proof-corpus", proof]) for _ in range(options.runs)])
        # Once: it takes minutes.
        theirs = median([measure(python(PEER, proof, base, merged / "tokenizer.model"))])
        print(f"merge without proof {plain[0]:.2f} s; with proof {proven[0]:.2f} s, {proven[1] / 1e6:.0f} MB; "
              f"sentencepiece encodes the lines with both vocabularies in {theirs[0]:.2f} s, {theirs[1] / 1e6:.0f} MB", flush=True)
        for corpus in ([], ["--corpus", *texts(options.shared, "*zh*.txt")]):
            lint = median([
                measure([options.kuoci, "lint", "--tokenizer", merged, "--base", base, *corpus]) for _ in range(options.runs)])
            print(f"lint {'with' if corpus else 'without'} a corpus {lint[0]:.2f} s, {lint[1] / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
