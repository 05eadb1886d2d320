"""BPE training beside sentencepiece, in the same run: `make bench`.

Each training is a process of its own, timed from start to end, with its peak memory.
"""

import argparse
import pathlib
import tempfile

from process import header, measure, medians, python, row

ROOT = pathlib.Path(__file__).resolve().parents[1]

LLAMA_FLAGS = ["--normalization_rule_name=identity", "--byte_fallback=true", "--split_digits=true",
               "--allow_whitespace_only_pieces=true"]

TRAIN = "import sentencepiece, sys; sentencepiece.SentencePieceTrainer.train(' '.join(sys.argv[1:]))"


def corpus(directory, shared):
    """The Chinese of the main job, or all shared corpora in one file, or the committed samples ten times over."""
    main_job = ROOT / "out/corpus/zh.txt"
    if main_job.exists():
        return main_job
    sources = sorted((shared / "corpora").glob("*.txt")) or sorted((ROOT / "corpora").glob("sample*.txt")) * 10
    joined = directory / "corpus.txt"
    joined.write_bytes(b"".join(path.read_bytes() for path in sources))
    return joined


def megabytes(count):
    return count / 1e6


def bench_training(program, text, directory, runs):
    size = 20000 if text.stat().st_size > 5e6 else 8000
    for label, flags in (("default flags", []), ("LLaMA's flags", LLAMA_FLAGS)):
        common = [f"--input={text}", f"--vocab_size={size}", "--model_type=bpe", "--character_coverage=0.9995", *flags]
        ours, theirs = [], []
        for run in range(runs):
            ours.append(measure([program, "train", *common, f"--model_prefix={directory}/ours-{label[0]}-{run}"]))
            theirs.append(measure(python(TRAIN, *common, "--minloglevel=2", f"--model_prefix={directory}/theirs")))
        (our_seconds, our_peak), (their_seconds, their_peak) = medians(ours), medians(theirs)
        name = f"BPE training, {size} pieces, {label}"
        row(name, our_seconds, their_seconds, "s", higher_is_better=False)
        row(f"{name}, peak memory", megabytes(our_peak), megabytes(their_peak), "MB", higher_is_better=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, of which the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        text = corpus(directory, options.shared)
        print(f"{text.name}: {megabytes(text.stat().st_size):.1f} MB; medians of {options.runs} runs", flush=True)
        header("sentencepiece")
        bench_training(options.kuoci, text, directory, options.runs)


if __name__ == "__main__":
    main()
