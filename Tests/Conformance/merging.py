"""Merges without harm: no text without Chinese changes, no row is dead, and what they save beside the published way.

sentencepiece encodes every row and every text; tokenizers and transformers read what the merge wrote.
"""

import json
import pathlib
import random
import re
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2

from harness import ROOT, Report, arguments, differences, kuoci, lines

NEW_ROWS = 17953
# What sentencepiece, tokenizers and Unicode call Chinese here: ideographs, with 々 and 〇 and the radicals.
HAN = re.compile("[\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")


def load(path):
    proto = model_pb2.ModelProto()
    proto.ParseFromString(pathlib.Path(path).read_bytes())
    return proto


def bare(path):
    """A processor that takes text as normalized already."""
    proto = load(path)
    proto.normalizer_spec.precompiled_charsmap = b""
    proto.normalizer_spec.add_dummy_prefix = False
    proto.normalizer_spec.remove_extra_whitespaces = False
    return sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())


def dead_rows(path, ids):
    """(id, piece, what it is cut into) for each row whose text is not encoded to it."""
    proto, processor = load(path), bare(path)
    rows = [(i, proto.pieces[i].piece) for i in ids if proto.pieces[i].type == 1]
    encoded = processor.encode([piece for _, piece in rows])
    return [(i, piece, cut) for (i, piece), cut in zip(rows, encoded) if cut != [i]]


def plain_texts(corpora):
    return [line for corpus in corpora for line in lines(corpus) if line and not HAN.search(line)]


def check_unchanged(report, name, base, merged, corpora):
    texts = plain_texts(corpora)
    before = sentencepiece.SentencePieceProcessor(model_file=str(base))
    after = sentencepiece.SentencePieceProcessor(model_file=str(merged / "tokenizer.model"))
    found = differences(after.encode(texts), before.encode(texts))
    report.equal(name, f"{len(texts)} texts without Chinese keep their ids", found)


def check_rows(report, name, base, merged):
    count, size = len(load(base).pieces), len(load(merged / "tokenizer.model").pieces)
    found = dead_rows(merged / "tokenizer.model", range(count, size))
    broken = set(i for i, _, _ in dead_rows(merged / "tokenizer.model", range(count)))
    broken -= set(i for i, _, _ in dead_rows(base, range(count)))
    report.equal(name, f"{size - count} new rows are encoded to themselves, and so are the base's",
                 [(i, cut, piece) for i, piece, cut in found] + [(i, "broken", "kept") for i in sorted(broken)])


def check_ids(report, name, base, merged):
    """The base's entries are the first ones, and the new scores fall strictly below them."""
    old, new = load(base).pieces, load(merged / "tokenizer.model").pieces
    found = differences(list(new[:len(old)]), list(old))
    scores = [min(p.score for p in old if p.type == 1)] + [p.score for p in new[len(old):]]
    found += [(i, b, a) for i, (a, b) in enumerate(zip(scores, scores[1:])) if b >= a]
    report.equal(name, f"{len(old)} entries and {len(new) - len(old)} scores", found)


def random_texts(count, merged):
    """Texts put together from pieces, runs and stray characters."""
    generator = random.Random(5)
    pieces = [p.piece.replace("▁", " ") for p in load(merged / "tokenizer.model").pieces if p.type == 1]
    texts = []
    for _ in range(count):
        parts = [generator.choice(pieces) for _ in range(generator.randrange(1, 9))]
        if generator.random() < 0.3:
            parts.append(generator.choice(pieces[-5000:]) * generator.randrange(2, 6))
        texts.append("".join(parts))
    return texts


def in_transformers(directory, texts):
    import transformers
    return transformers.AutoTokenizer.from_pretrained(str(directory))(texts, add_special_tokens=False)["input_ids"]


def check_fast(report, name, merged, corpora, kind):
    """The merge in tokenizers, or in transformers from its directory, against its .model in sentencepiece."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(merged / "tokenizer.model"))
    texts = [line for corpus in corpora for line in lines(corpus)] + random_texts(20000, merged)
    if kind == "tokenizers":
        import tokenizers
        fast = tokenizers.Tokenizer.from_file(str(merged / "tokenizer.json"))
        theirs = [encoding.ids for encoding in fast.encode_batch(texts, add_special_tokens=False)]
    else:
        theirs = in_transformers(merged, texts)
    report.equal(name, f"{len(texts)} lines", differences(processor.encode(texts), theirs))


def tokens(model, texts):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    return sum(map(len, processor.encode(texts)))


FLAGS = ["--character-coverage", "0.9995", "--normalization-rule-name", "identity", "--byte-fallback", "true",
         "--split-digits", "true", "--allow-whitespace-only-pieces", "true", "--progress", "none"]


def check_savings(report, name, program, base, corpus, heldout, directory, proof):
    """Four merges of the same size learned from the same text, by tokens on held-out Chinese."""
    size = len(load(base).pieces) + NEW_ROWS

    def train(label, *flags):
        kuoci(program, "train", "--input", corpus, "--model-prefix", directory / label, *FLAGS, *flags)
        return directory / f"{label}.model"

    def merge(label, added, *flags):
        kuoci(program, "merge", "--base", base, "--add", added, "--out", directory / label, "--size", size, *flags)
        return directory / label

    mixed = ["--split-by-unicode-script", "false"]
    unigram = merge("append-unigram", train("unigram", "--model-type", "unigram", "--vocab-size", 24000), "--policy", "append")
    bpe = merge("append-bpe", train("bpe", "--model-type", "bpe", "--vocab-size", 24000), "--policy", "append")
    harmless = merge("harmless", train("wide", "--model-type", "bpe", "--vocab-size", 40000, *mixed), "--corpus", corpus,
                     "--proof-corpus", *proof)
    continued = merge(
        "continued", train("continued-bpe", "--model-type", "bpe", "--base-model", base, "--scripts", "Han",
                           "--new-pieces", 20000, *mixed),
        "--policy", "continued", "--corpus", corpus, "--proof-corpus", *proof)
    texts = lines(heldout)
    counts = {path.name: tokens(path / "tokenizer.model", texts) for path in (unigram, bpe, harmless, continued)}
    limit = min(counts["append-unigram"], counts["append-bpe"])
    found = [(label, counts[label], limit) for label in ("harmless", "continued") if counts[label] > limit]
    changed = {path.name: sum(a != b for a, b in zip(*(
        sentencepiece.SentencePieceProcessor(model_file=str(m)).encode(plain_texts(proof))
        for m in (path / "tokenizer.model", base)))) for path in (unigram, bpe, harmless, continued)}
    dead = {path.name: len(dead_rows(path / "tokenizer.model", range(size - NEW_ROWS, size)))
            for path in (unigram, bpe, harmless, continued)}
    for label, count in counts.items():
        print(f"   {label:16} {count:8} tokens on {heldout.name}, {dead[label]:5} dead rows, "
              f"{changed[label]:6} texts without Chinese changed")
    report.equal(name, ", ".join(f"{label} {count}" for label, count in counts.items()), found)
    return harmless, continued


def check_append(report, name, program, base, added, directory):
    """What append says it harmed is what sentencepiece finds."""
    merged = directory / "append-shared"
    kuoci(program, "merge", "--policy", "append", "--base", base, "--add", added, "--out", merged)
    results = json.loads((merged / "kuoci.json").read_text(encoding="utf-8"))["results"]
    count, size = len(load(base).pieces), len(load(merged / "tokenizer.model").pieces)
    before = {i for i, _, _ in dead_rows(base, range(count))}
    broken = {i for i, _, _ in dead_rows(merged / "tokenizer.model", range(count))} - before
    dead = dead_rows(merged / "tokenizer.model", range(count, size))
    report.equal(name, f"{len(dead)} new rows are dead, {len(broken)} of the base broken", differences(
        [results["dead_rows"], results["broken_base_pieces"]], [len(dead), len(broken)]))


def check_layers(report, name, program, merged, directory):
    """A merge on a merge: earlier ids stay, words become one row each, and padding comes last."""
    words = ["冠状动脉粥样硬化性心脏病", "经皮冠状动脉介入治疗", "高通量测序"]
    (directory / "words.txt").write_text("\n".join(words), encoding="utf-8")
    again = directory / "again"
    kuoci(program, "merge", "--base", merged, "--add", merged, "--words", directory / "words.txt", "--cover",
          "gb2312,big5", "--pad-token", "--pad-to-multiple", 64, "--out", again)
    check_ids_of = load(merged / "tokenizer.model").pieces
    new = load(again / "tokenizer.model").pieces
    found = differences(list(new[:len(check_ids_of)]), list(check_ids_of))
    processor = bare(again / "tokenizer.model")
    found += [(word, processor.encode(word), "one id") for word in words if len(processor.encode(word)) != 1]
    missing = [c for c in (bytes([a, b]).decode("gb2312", "ignore") for a in range(0xB0, 0xF8) for b in range(0xA1, 0xFF))
               if c and processor.piece_to_id(c) == processor.unk_id()]
    found += [("GB2312", missing[:5], [])] if missing else []
    if processor.pad_id() < 0 or len(new) % 64:
        found.append(("padding", (processor.pad_id(), len(new)), "a pad id and a multiple of 64"))
    found += [(i, cut, piece) for i, piece, cut in dead_rows(again / "tokenizer.model", range(len(check_ids_of), len(new)))]
    report.equal(name, f"{len(new)} entries, pad id {processor.pad_id()}", found)
    return again


def check_prune(report, name, program, base, merged, corpus, directory):
    """Pruning a merge on a corpus leaves the corpus' pieces, and the map says where the rows went."""
    pruned = directory / "pruned"
    kuoci(program, "merge", "--base", base, "--add", merged, "--prune", "--corpus", corpus, "--out", pruned)
    ids = json.loads((pruned / "id-map.json").read_text(encoding="utf-8"))["new_ids"]
    old, new = (sentencepiece.SentencePieceProcessor(model_file=str(d / "tokenizer.model")) for d in (merged, pruned))
    texts = lines(corpus)
    mapped = [[ids[i] for i in line] for line in old.encode(texts)]
    found = differences(new.encode(texts), mapped)
    if len(ids) != old.get_piece_size() or new.get_piece_size() >= old.get_piece_size():
        found.append(("entries", new.get_piece_size(), f"fewer than {old.get_piece_size()}"))
    report.equal(name, f"{old.get_piece_size()} -> {new.get_piece_size()} entries, {len(texts)} texts keep their pieces", found)


def check_all(report, program, shared, directory):
    corpora = sorted((shared / "corpora").glob("*.txt")) + sorted((ROOT / "out/corpus").glob("*.txt"))
    base, added = shared / "tokenizers/llama-32k.model", shared / "tokenizers/chinese-20k.model"
    if base.exists() and added.exists():
        report.run("what append harmed", check_append, program, base, added, directory)
        merged = directory / "shared"
        kuoci(program, "merge", "--base", base, "--add", added, "--out", merged)
        check_merge(report, "shared", base, merged, corpora)
    own, corpus = ROOT / ".deps/base/tokenizer.model", ROOT / "out/corpus/zh.txt"
    if not (own.exists() and corpus.exists()):
        report.skipped("merges of equal size", f"no {corpus}: make corpus")
        return
    english = [ROOT / "out/corpus/en.txt", ROOT / "out/corpus/en.heldout.txt", *sorted((shared / "corpora").glob("*.en.txt"))]
    report.run("tokens of four merges", check_savings, program, own, corpus, ROOT / "out/corpus/zh.heldout.txt", directory,
               english)
    for label in ("harmless", "continued"):
        if (directory / label).exists():
            check_merge(report, label, own, directory / label, corpora)
    if (directory / "harmless").exists():
        report.run("a merge on a merge", check_layers, program, directory / "harmless", directory)
        if (directory / "again").exists():
            check_merge(report, "merge on a merge", own, directory / "again", corpora[:4])
        report.run("pruning", check_prune, program, own, directory / "harmless", ROOT / "out/corpus/zh.heldout.txt", directory)


def check_merge(report, label, base, merged, corpora):
    report.run(f"rows, {label}", check_rows, base, merged)
    report.run(f"texts without Chinese, {label}", check_unchanged, base, merged, corpora)
    if label != "merge on a merge":
        report.run(f"ids and scores, {label}", check_ids, base, merged)
    for kind in ("tokenizers", "transformers"):
        report.run(f"{kind}, {label}", check_fast, merged, corpora, kind)


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    with tempfile.TemporaryDirectory() as name:
        check_all(report, options.kuoci, options.shared, pathlib.Path(name))
    report.end()


if __name__ == "__main__":
    main()
