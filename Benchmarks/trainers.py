"""Training of vocabularies beside sentencepiece, in the same run: `make bench`.

Each training is a process of its own, timed from start to end, with its peak memory; the models that both write are
compared, to the bit of the scores. Then ours alone as the text grows to four and sixteen times its size (one run each).
"""

import multiprocessing
import pathlib
import random
import re
import struct
import tempfile

from sentencepiece import sentencepiece_model_pb2 as model_pb2

from options import ROOT, arguments, texts
from process import header, measure, medians, python, row

LLAMA_FLAGS = ["--normalization_rule_name=identity", "--byte_fallback=true", "--split_digits=true",
               "--allow_whitespace_only_pieces=true"]

CASES = (
    ("unigram", "unigram, default flags", []),
    ("bpe", "BPE, default flags", []),
    ("bpe", "BPE, LLaMA's flags", LLAMA_FLAGS),
)

TRAIN = "import sentencepiece, sys; sentencepiece.SentencePieceTrainer.train(' '.join(sys.argv[1:]))"


def corpus(directory, shared):
    """One file of text; without a corpus, the samples ten times over."""
    sources = texts(shared, "*.txt")
    if len(sources) == 1:
        return sources[0]
    if sources[0].parent == ROOT / "corpora":
        sources *= 10
    joined = directory / "corpus.txt"
    joined.write_bytes(b"".join(path.read_bytes() for path in sources))
    return joined


def pieces(path):
    model = model_pb2.ModelProto()
    model.ParseFromString(pathlib.Path(path).read_bytes())
    return [(piece.piece, struct.pack("<f", piece.score), piece.type) for piece in model.pieces]


def flags(text, size, kind, more):
    return [f"--input={text}", f"--vocab_size={size}", f"--model_type={kind}", "--character_coverage=0.9995", *more]


def bench_against_peer(program, text, size, directory, runs):
    for number, (kind, label, more) in enumerate(CASES):
        common = flags(text, size, kind, more)
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(measure([program, "train", *common, f"--model_prefix={directory}/ours-{number}", "--force"]))
            theirs.append(measure(python(TRAIN, *common, "--minloglevel=2", f"--model_prefix={directory}/theirs")))
        (our_seconds, our_peak), (their_seconds, their_peak) = medians(ours), medians(theirs)
        row(f"{label}: time", our_seconds, their_seconds, "s", higher_is_better=False)
        row(f"{label}: peak memory", our_peak / 1e6, their_peak / 1e6, "MB", higher_is_better=False)
        found, expected = pieces(f"{directory}/ours-{number}.model"), pieces(f"{directory}/theirs.model")
        differing = sum(a != b for a, b in zip(found, expected)) + abs(len(found) - len(expected))
        print(f"  {differing} of {len(expected)} pieces differ in text, score or type", flush=True)


def recombined(text, copies, seed=1):
    """`copies` times as much text: the clauses of the lines dealt out anew, so that lines and words are new ones."""
    draw = random.Random(seed)
    lines = text.decode("utf-8").splitlines()
    clauses = [clause for line in lines for clause in re.findall("[^，。；：！？,;]+[，。；：！？,;]?", line)]
    counts = [max(1, len(re.findall("[，。；：！？,;]", line))) for line in lines]
    result = [text]
    for _ in range(copies - 1):
        draw.shuffle(clauses)
        start = 0
        for count in counts:
            result.append("".join(clauses[start:start + count]).encode("utf-8") + b"\n")
            start += count
    return b"".join(result)


def write_recombined(text, path, copies):
    path.write_bytes(recombined(text.read_bytes(), copies))


def bench_growth(program, text, size, directory):
    for kind in ("unigram", "bpe"):
        first = None
        for copies in (1, 4, 16):
            larger = directory / f"text-{copies}.txt"
            if not larger.exists():
                # In a process of its own: what starts a program counts its own memory to the program's peak.
                writer = multiprocessing.Process(target=write_recombined, args=(text, larger, copies))
                writer.start()
                writer.join()
            usage = measure([program, "train", *flags(larger, size, kind, ["--hard_vocab_limit=false"]),
                             f"--model_prefix={directory}/larger", "--force"])
            megabytes = larger.stat().st_size / 1e6
            first = first or (usage.seconds, megabytes)
            print(f"{kind}: {megabytes:6.1f} MB ({megabytes / first[1]:4.1f} x) in {usage.seconds:6.2f} s "
                  f"({usage.seconds / first[0]:4.1f} x), {usage.peak_bytes / 1e6:5.0f} MB of memory", flush=True)


def main():
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        text = corpus(directory, options.shared)
        size = 20000 if text.stat().st_size > 5e6 else 8000
        print(f"training {size} pieces from {text.name}, {text.stat().st_size / 1e6:.1f} MB; "
              f"medians of {options.runs} runs", flush=True)
        header("sentencepiece")
        bench_against_peer(options.kuoci, text, size, directory, options.runs)
        print("\nour time as the text grows")
        bench_growth(options.kuoci, text, size, directory)


if __name__ == "__main__":
    main()
