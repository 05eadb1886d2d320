"""Encoding, decoding and normalizing beside sentencepiece 0.2.3: ids, pieces, offsets and text of every line.

Models: the shared ones and what merging makes of them, and fresh ones that sentencepiece trains here: all four types,
with user-defined symbols, byte fallback, suffix mode, no normalization, and unused pieces set by hand. Texts: the
shared corpora, the main job's, and seeded random Unicode: every script, spaces, controls, unassigned code points,
and bytes that are no UTF-8. A line that is checked in four ways (ids, pieces, offsets, decoded text) counts once.
"""

import json
import pathlib
import random
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from sentencepiece import sentencepiece_pb2 as text_pb2

from harness import ROOT, Report, arguments, kuoci

THREADS = 2
TOTALS = {"cases": 0, "lines": 0, "normalized": 0, "differences": 0}

# First and last code points of ranges to draw from, one range a line of text.
SCRIPTS = (
    (0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF),
    (0x600, 0x77F), (0x900, 0xDFF), (0xE00, 0xEFF), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF),
    (0x1100, 0x11FF), (0x1200, 0x139F), (0x13A0, 0x167F), (0x1680, 0x16FF), (0x1700, 0x18AF), (0x1E00, 0x1FFF),
    (0x2000, 0x206F), (0x2070, 0x218F), (0x2190, 0x2BFF), (0x2C00, 0x2DFF), (0x2E80, 0x2FDF), (0x3000, 0x30FF),
    (0x3100, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xA4D0, 0xABFF), (0xAC00, 0xD7FF),
    (0xE000, 0xE0FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFFFF), (0x10000, 0x1005D), (0x10300, 0x107FF),
    (0x11000, 0x11FFF), (0x12000, 0x12543), (0x13000, 0x1345F), (0x16800, 0x16FFF), (0x1B000, 0x1B2FF),
    (0x1D100, 0x1D7FF), (0x1E000, 0x1EFFF), (0x1F000, 0x1FAFF), (0x20000, 0x323AF), (0xE0000, 0xE01EF),
    (0xF0000, 0xF00FF), (0x10FF00, 0x10FFFF),
)
COMMON = "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长"
SPACES = (" ", " ", "  ", "\t", "\u3000", "\u00a0", "\u200b", "\u2581", "\r", "\u2028", "\ufeff", "   ")


def random_text(generator):
    """A line as bytes: words of one script or several, spaces of all sorts; sometimes broken."""
    parts = []
    for _ in range(generator.randint(0, 12)):
        choice = generator.random()
        if choice < 0.25:
            parts.append("".join(generator.choices(COMMON, k=generator.randint(1, 8))))
        elif choice < 0.55:
            first, last = generator.choice(SCRIPTS)
            parts.append("".join(chr(generator.randint(first, last)) for _ in range(generator.randint(1, 6))))
        elif choice < 0.7:
            parts.append(generator.choice(SPACES))
        elif choice < 0.8:
            parts.append("".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(1, 10))))
        elif choice < 0.85:
            parts.append(str(generator.randint(0, 99999)))
        elif choice < 0.9:
            parts.append(generator.choice(COMMON) * generator.randint(2, 60))
        elif choice < 0.95:
            parts.append(chr(generator.randint(1, 0x1F)) if generator.random() < 0.5 else "\x7f")
        else:
            code = generator.randint(0, 0x10FFFF)
            parts.append(chr(code) if not 0xD800 <= code < 0xE000 else "<user>")
    text = "".join(parts).encode("utf-8")
    if generator.random() < 0.1 and text:
        broken = bytearray(text)
        for _ in range(generator.randint(1, 4)):
            broken[generator.randrange(len(broken))] = generator.randrange(256)
        text = bytes(broken)
    return text.replace(b"\n", b" ")


def random_lines(seed, count):
    generator = random.Random(seed)
    return [random_text(generator) for _ in range(count)]


def file_lines(path, limit=None):
    found = path.read_bytes().removesuffix(b"\n").split(b"\n")
    return found[:limit] if limit else found


# One model and one set of lines


def output_lines(stdout):
    return stdout.removesuffix(b"\n").split(b"\n")


def spans(serialized):
    text = text_pb2.SentencePieceText()
    text.ParseFromString(serialized)
    return [(piece.id, piece.piece, piece.begin, piece.end) for piece in text.pieces]


def our_spans(line):
    value = json.loads(line)
    return list(zip(value["ids"], value["pieces"], value["begin"], value["end"]))


def check_lines(report, name, program, model, texts, offsets=True):
    """Compares ids, pieces and decoded text of all lines, and offsets too unless told otherwise."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    stdin = b"".join(text + b"\n" for text in texts)
    found = []

    def compare(what, ours, theirs):
        if len(ours) != len(theirs):
            found.append((f"{what}, number of lines", len(ours), len(theirs)))
        for index, (a, b) in enumerate(zip(ours, theirs)):
            if a != b:
                found.append((f"{what}, line {index + 1} {texts[index]!r}", a, b))

    def run(verb, *parameters, given=stdin):
        return output_lines(kuoci(program, verb, "--model", model, *parameters, stdin=given))

    ids = processor.encode(texts, num_threads=THREADS)
    id_lines = [" ".join(map(str, line)).encode() for line in ids]
    compare("ids", run("encode", "--output-format", "id"), id_lines)
    pieces = processor.encode(texts, out_type=bytes, num_threads=THREADS)
    compare("pieces", run("encode", "--output-format", "piece"), [b" ".join(line) for line in pieces])
    given = b"".join(line + b"\n" for line in id_lines)
    decoded = processor.decode(ids, out_type=bytes, num_threads=THREADS)
    # A line feed that comes out of a byte piece would part the lines.
    ours = kuoci(program, "decode", "--model", model, "--input-format", "id", stdin=given)
    if ours != b"".join(text + b"\n" for text in decoded):
        compare("text", output_lines(ours), decoded)
    if offsets:
        theirs = processor.encode(texts, out_type="serialized_proto", num_threads=THREADS)
        compare("offsets", [our_spans(line) for line in run("encode", "--output-format", "json")],
                [spans(line) for line in theirs])
    TOTALS["cases"] += 1
    TOTALS["lines"] += len(texts)
    TOTALS["differences"] += len(found)
    report.equal(name, f"{len(texts)} lines, {sum(map(len, ids))} ids", found)


# Models


def train(directory, name, corpus, **options):
    prefix = directory / name
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(prefix), minloglevel=2, hard_vocab_limit=False, num_threads=THREADS,
        input_sentence_size=20000, **options)
    return directory / f"{name}.model"


def with_unused(path, share):
    """The same model with some of its pieces of several characters unused."""
    model = model_pb2.ModelProto()
    model.ParseFromString(path.read_bytes())
    generator = random.Random(7)
    for piece in model.pieces:
        if piece.type == 1 and len(piece.piece) > 1 and generator.random() < share:
            piece.type = 5
    changed = path.with_name(path.stem + ".unused.model")
    changed.write_bytes(model.SerializeToString())
    return changed


USER = {"user_defined_symbols": ["<user>", "的一", "国中", "\u3000", "ab", "abc"], "control_symbols": ["<ctrl>"]}
PLAIN = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}


def fresh_models(directory, corpus):
    """Name and path of models trained here on one corpus."""
    def model(name, **options):
        return name, train(directory, name.replace(" ", "-"), corpus, character_coverage=0.99, **options)

    models = [
        model("bpe", model_type="bpe", vocab_size=4000),
        model("bpe identity bytes", model_type="bpe", vocab_size=5000, byte_fallback=True, **PLAIN),
        model("bpe user symbols", model_type="bpe", vocab_size=4000, **USER),
        model("bpe suffix", model_type="bpe", vocab_size=4000, treat_whitespace_as_suffix=True),
        model("unigram bytes", model_type="unigram", vocab_size=5000, byte_fallback=True),
        model("unigram user symbols", model_type="unigram", vocab_size=4000, **USER),
        model("unigram suffix plain", model_type="unigram", vocab_size=4000, treat_whitespace_as_suffix=True, **PLAIN),
        model("unigram nfkc_cf", model_type="unigram", vocab_size=4000, normalization_rule_name="nfkc_cf"),
        model("char", model_type="char", vocab_size=3000),
        model("char user symbols bytes", model_type="char", vocab_size=3000, byte_fallback=True, **USER),
        model("word", model_type="word", vocab_size=3000),
        model("word bytes", model_type="word", vocab_size=3000, byte_fallback=True, **PLAIN),
    ]
    for name in ("bpe", "bpe identity bytes", "unigram bytes", "char"):
        models.append((f"{name} unused", with_unused(dict(models)[name], 0.3)))
    return models


def shared_models(program, shared, directory):
    base, added = shared / "tokenizers/llama-32k.model", shared / "tokenizers/chinese-20k.model"
    if not (base.exists() and added.exists()):
        return []
    kuoci(program, "merge", "--policy", "append", "--base", base, "--add", added, "--out", directory / "merged")
    return [("llama", base), ("chinese unigram", added), ("merged", directory / "merged/tokenizer.model")]


# Other verbs and options


def check_options(report, name, program, model, texts):
    """Begin, end, reverse and the name of what is unknown, in ids and pieces."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    stdin = b"".join(text + b"\n" for text in texts)
    found = []
    for words, flags in (("bos:eos", {"add_bos": True, "add_eos": True}), ("reverse", {"reverse": True}),
                         ("reverse:bos:eos", {"add_bos": True, "add_eos": True, "reverse": True}),
                         ("unk_piece", {"emit_unk_piece": True})):
        for kind in (int, bytes):
            theirs = processor.encode(texts, out_type=kind, **flags)
            lines = [b" ".join(str(x).encode() if kind is int else x for x in line) for line in theirs]
            ours = output_lines(kuoci(program, "encode", "--model", model, "--extra_options", words,
                                      "--output_format", "id" if kind is int else "piece", stdin=stdin))
            found += [(f"{words} {a!r}", a, b) for a, b in zip(ours, lines) if a != b]
    TOTALS["cases"] += 1
    TOTALS["differences"] += len(found)
    report.equal(name, f"{len(texts)} lines with 4 sets of options", found)


def check_nbest(report, name, program, model, texts, size):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    theirs = [" ".join(map(str, line)).encode() for text in texts
              for line in processor.nbest_encode(text, nbest_size=size, out_type=int)]
    stdin = b"".join(text + b"\n" for text in texts)
    ours = output_lines(kuoci(program, "encode", "--model", model, "--output-format", "nbest_id",
                              "--nbest-size", size, stdin=stdin))
    found = [] if len(ours) == len(theirs) else [("number of lines", len(ours), len(theirs))]
    found += [(f"line {i + 1}", a, b) for i, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    TOTALS["cases"] += 1
    TOTALS["lines"] += len(texts)
    TOTALS["differences"] += len(found)
    report.equal(name, f"{len(texts)} lines, {len(theirs)} segmentations", found)


def check_normalization(report, name, program, rule, texts):
    """All code points one by one, then lines, by the named rules."""
    normalizer = sentencepiece.SentencePieceNormalizer(
        rule_name=rule, add_dummy_prefix=False, escape_whitespaces=False, remove_extra_whitespaces=True)
    points = [chr(code).encode() for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000 and code != 10]
    texts = points + texts
    stdin = b"".join(text + b"\n" for text in texts)
    ours = kuoci(program, "normalize", "--normalization_rule_name", rule, stdin=stdin).removesuffix(b"\n").split(b"\n")
    theirs = [normalizer.normalize(text) for text in texts]
    theirs = [text if isinstance(text, bytes) else text.encode() for text in theirs]
    found = [] if len(ours) == len(theirs) else [("number of lines", len(ours), len(theirs))]
    found += [(repr(texts[i]), a, b) for i, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    TOTALS["cases"] += 1
    TOTALS["normalized"] += len(texts)
    TOTALS["differences"] += len(found)
    report.equal(name, f"{len(texts)} lines", found)


def check_counts(report, name, program, model, texts):
    """The vocabulary of a text as spm_encode's --generate_vocabulary lists it."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    counts = {}
    for line in processor.encode(texts, out_type=bytes, num_threads=THREADS):
        for piece in line:
            counts[piece] = counts.get(piece, 0) + 1
    known = {piece: n for piece, n in counts.items()
             if not processor.is_unknown(i := processor.piece_to_id(piece.decode())) and not processor.is_control(i)}
    theirs = [piece + b"\t" + str(n).encode() for piece, n in sorted(known.items(), key=lambda x: (-x[1], x[0]))]
    stdin = b"".join(text + b"\n" for text in texts)
    ours = output_lines(kuoci(program, "encode", "--model", model, "--generate_vocabulary", stdin=stdin))
    found = [(a, a, b) for a, b in zip(ours, theirs) if a != b]
    found += [] if len(ours) == len(theirs) else [("number of lines", len(ours), len(theirs))]
    TOTALS["cases"] += 1
    TOTALS["differences"] += len(found)
    report.equal(name, f"{len(theirs)} pieces", found)


def corpora(shared):
    """Name and lines of the texts, the large ones for the shared models only."""
    paths = sorted((shared / "corpora").glob("*.txt")) if shared.exists() else []
    texts = [(path.name, file_lines(path)) for path in paths or sorted((ROOT / "corpora").glob("sample*.txt"))]
    large = [(path.name, file_lines(path)) for path in (ROOT / "out/corpus/zh.txt", ROOT / "out/corpus/en.txt")
             if path.exists()]
    return texts, large


def check_all(report, program, shared, directory):
    texts, large = corpora(shared)
    random_small, random_large = random_lines(20240501, 40000), random_lines(20240502, 200000)
    known = shared_models(program, shared, directory)
    if not known:
        report.skipped("shared vocabularies", f"{shared} holds no tokenizers")
    for model_name, model in known:
        for name, lines in texts:
            report.run(f"encoding, {model_name}, {name}", check_lines, program, model, lines)
        for name, lines in large:
            report.run(f"encoding, {model_name}, {name}", check_lines, program, model, lines, False)
        report.run(f"encoding, {model_name}, random Unicode", check_lines, program, model, random_large, False)
        report.run(f"offsets, {model_name}, random Unicode", check_lines, program, model, random_small)
    corpus = next(path for path in (shared / "corpora/wiki.zh.txt", *sorted((ROOT / "corpora").glob("sample.zh*.txt")),
                                    *sorted((ROOT / "corpora").glob("sample*.txt"))) if path.exists())
    for model_name, model in fresh_models(directory, corpus):
        for name, lines in texts[-2:]:
            report.run(f"encoding, fresh {model_name}, {name}", check_lines, program, model, lines)
        report.run(f"encoding, fresh {model_name}, random Unicode", check_lines, program, model, random_small)
        report.run(f"options, fresh {model_name}", check_options, program, model, random_small[:2000])
        report.run(f"counts, fresh {model_name}", check_counts, program, model, file_lines(corpus, 3000))
        if model_name.startswith("unigram"):
            short = [text for text in random_small[:6000] if len(text) < 120]
            report.run(f"n-best, fresh {model_name}", check_nbest, program, model, short[:3000], 8)
            report.run(f"n-best of 64, fresh {model_name}", check_nbest, program, model, short[3000:3300], 64)
    for rule in ("nfkc", "nmt_nfkc", "nfkc_cf", "nmt_nfkc_cf", "identity"):
        report.run(f"normalization, {rule}", check_normalization, program, rule, random_small)


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    with tempfile.TemporaryDirectory() as name:
        check_all(report, options.kuoci, options.shared, pathlib.Path(name))
    # Not a check of its own: the sum of those above.
    print(f"encoding: {TOTALS['cases']} cases, {TOTALS['lines']} lines encoded and {TOTALS['normalized']} normalized, "
          f"{TOTALS['differences']} differences", flush=True)
    report.end()


if __name__ == "__main__":
    main()
