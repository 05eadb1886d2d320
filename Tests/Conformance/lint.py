"""Compares what `kuoci lint` finds with live sentencepiece, list by list, on the published merge."""

import json
import pathlib
import subprocess
import tempfile
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2

import harness
from harness import Report, arguments, differences, kuoci

NORMAL = 1
# Blocks of CJK ideographs: unified, extensions A to J, compatibility and its supplement.
IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2EE5F), (0x2F800, 0x2FA1F),
              (0x30000, 0x3347F), (0xF900, 0xFAFF))


def load(path):
    proto = model_pb2.ModelProto()
    proto.ParseFromString(pathlib.Path(path).read_bytes())
    return proto


def bare(proto):
    """A processor that takes a text as it is, with no space before it."""
    copy = model_pb2.ModelProto()
    copy.CopyFrom(proto)
    copy.normalizer_spec.precompiled_charsmap = b""
    copy.normalizer_spec.add_dummy_prefix = False
    copy.normalizer_spec.remove_extra_whitespaces = False
    return sentencepiece.SentencePieceProcessor(model_proto=copy.SerializeToString())


def dead_rows(proto):
    """(id, pieces) of each normal piece that sentencepiece does not encode to itself."""
    ids = [index for index, piece in enumerate(proto.pieces) if piece.type == NORMAL]
    processor = bare(proto)
    encoded = processor.encode([proto.pieces[index].piece for index in ids])
    return {index: [proto.pieces[part].piece for part in parts] for index, parts in zip(ids, encoded) if parts != [index]}


def has_chain(proto):
    """Whether some chain of two-piece merges makes a text."""
    pieces = {piece.piece for piece in proto.pieces if piece.type == NORMAL}
    known = {}

    def found(text):
        if len(text) == 1:
            return True
        if text not in known:
            known[text] = text in pieces and any(found(text[:cut]) and found(text[cut:]) for cut in range(1, len(text)))
        return known[text]

    return found


def lint(program, *parameters):
    """The JSON of lint, which ends with 2 where it finds errors."""
    command = [program, "lint", "--format", "json", *map(str, parameters)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = json.loads(result.stdout)
    if result.returncode != (2 if found["has_errors"] else 0):
        raise RuntimeError(f"ended with {result.returncode}: {result.stderr.decode('utf-8', 'replace')}")
    return found


def ids(rows):
    return [row["id"] for row in rows]


def check_dead(report, name, found, merged, base):
    """Rows and pieces of the base that do not encode to themselves, with what they are cut into."""
    theirs, before = dead_rows(merged), dead_rows(base)
    count = len(base.pieces)
    parts = {row["id"]: row["parts"] for key in ("dead_rows", "broken_base_rows") for row in found["errors"][key]}
    wrong = differences(sorted(parts.items()), sorted((index, parts) for index, parts in theirs.items() if index not in before))
    new = [index for index in theirs if index >= count]
    wrong += differences(ids(found["errors"]["dead_rows"]), new)
    chain = has_chain(merged)
    chainless = [row["id"] for row in found["errors"]["dead_rows"] if row["reason"] == "no_chain"]
    wrong += differences(chainless, [index for index in new if not chain(merged.pieces[index].piece)])
    # With its bridges each has a chain.
    for row in found["errors"]["dead_rows"]:
        if row["reason"] == "no_chain":
            extended = model_pb2.ModelProto()
            extended.CopyFrom(merged)
            for bridge in row["bridges"]:
                extended.pieces.add(piece=bridge)
            if not has_chain(extended)(row["piece"]):
                wrong.append((row["piece"], row["bridges"], "a chain"))
    broken = len(theirs) - len(new)
    report.equal(name, f"{len(new)} rows, {len(chainless)} of them without a chain; {broken} pieces of the base", wrong)


def check_alone(report, name, program, model):
    """A model without a base: the rows that do not encode to themselves in the model as it is, normalization aside."""
    found, theirs = lint(program, "--tokenizer", model), dead_rows(load(model))
    ours = {row["id"]: row["parts"] for row in found["errors"]["dead_rows"] if row["reason"] != "normalized_away"}
    report.equal(name, f"{len(theirs)} rows", differences(sorted(ours.items()), sorted(theirs.items())))


def check_content(report, name, found, merged, base):
    new = range(len(base.pieces), len(merged.pieces))

    def is_ideograph(character):
        return any(first <= ord(character) <= last for first, last in IDEOGRAPHS)

    without = [index for index in new if not any(map(is_ideograph, merged.pieces[index].piece))]
    wrong = differences(ids(found["warnings"]["without_ideographs"]), without)

    def has_digits(text):
        digits = [unicodedata.category(character) == "Nd" for character in text]
        return any(map(all, zip(digits, digits[1:])))

    strings = [index for index in new if has_digits(merged.pieces[index].piece)]
    wrong += differences(ids(found["warnings"]["digit_strings"]), strings)
    groups = {}
    for index, piece in enumerate(merged.pieces):
        if piece.type == NORMAL:
            groups.setdefault(unicodedata.normalize("NFKC", piece.piece.replace("▁", " ")), []).append(index)
    equal = sorted(group for group in groups.values() if len(group) > 1 and group[-1] >= len(base.pieces))
    wrong += differences([ids(group) for group in found["warnings"]["duplicates"]], equal)
    report.equal(name, f"{len(without)} rows without ideographs, {len(strings)} of digits, {len(equal)} groups", wrong)


def check_coverage(report, name, found, merged):
    pieces = {piece.piece for piece in merged.pieces if piece.type == NORMAL}

    def missing(encoding, leads, trails, last):
        codes = [(lead, trail) for lead in leads for trail in trails if (lead, trail) <= last]
        characters = [bytes(code).decode(encoding, "ignore") for code in codes]
        return "".join(character for character in characters if character and character not in pieces)

    big5 = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    theirs = [missing("gb2312", range(0xB0, 0xF8), range(0xA1, 0xFF), (0xF7, 0xFE)),
              missing("big5", range(0xA4, 0xC7), big5, (0xC6, 0x7E))]
    ours = [standard["missing"] for standard in found["standards"]]
    counts = ", ".join(f"{len(text)} of {standard['characters']} missing" for text, standard in zip(theirs, found["standards"]))
    report.equal(name, counts, differences(ours, theirs))


def check_use(report, name, found, model, base, corpus):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    counts = [0] * processor.get_piece_size()
    for line in processor.encode(harness.lines(corpus)):
        for index in line:
            counts[index] += 1
    dead = set(ids(found["errors"]["dead_rows"]))
    unused = [index for index in range(len(base.pieces), len(counts)) if not counts[index] and index not in dead]
    wrong = differences(ids(found["corpus"]["unused_rows"]), unused)
    wrong += differences([found["corpus"]["tokens"]], [sum(counts)])
    wrong += differences([row["count"] for row in found["corpus"]["junk_candidates"]],
                         [counts[row["id"]] for row in found["corpus"]["junk_candidates"]])
    report.equal(name, f"{len(unused)} rows unused by {sum(counts)} tokens", wrong)


def check_all(report, options, directory):
    base, added = (options.shared / "tokenizers" / name for name in ("llama-32k.model", "chinese-20k.model"))
    corpus = options.shared / "corpora/wiki.zh.txt"
    if not all(path.exists() for path in (base, added, corpus)):
        report.skipped("lint", f"{options.shared} holds no llama-32k.model, chinese-20k.model and wiki.zh.txt")
        return
    kuoci(options.kuoci, "merge", *APPEND, "--base", base, "--add", added, "--out", directory / "merged")
    model = directory / "merged/tokenizer.model"
    found = lint(options.kuoci, "--tokenizer", model, "--base", base, "--corpus", corpus)
    merged, proto = load(model), load(base)
    report.run("lint: rows that do not encode to themselves", check_dead, found, merged, proto)
    for path in (base, added):
        report.run(f"lint: {path.name} alone", check_alone, options.kuoci, path)
    report.run("lint: scripts, digits, duplicates", check_content, found, merged, proto)
    report.run("lint: GB2312 and Big5", check_coverage, found, merged)
    report.run("lint: rows that a corpus never uses", check_use, found, model, proto, corpus)


# The published policy.
APPEND = ("--policy", "append")


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    with tempfile.TemporaryDirectory(prefix="kuoci-lint-") as name:
        check_all(report, options, pathlib.Path(name))
    report.end()


if __name__ == "__main__":
    main()
