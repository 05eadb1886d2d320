"""Trainers beside sentencepiece 0.2.3: a matrix of flags and small corpora, models compared to the bit."""

import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2

from harness import ROOT, Report, arguments, differences, kuoci

# Corpora


def head(path, lines):
    return b"".join(path.read_bytes().splitlines(keepends=True)[:lines])


def every_script(seed, lines):
    """Words of one script each, from all of Unicode's letters, with spaces, digits, controls and unassigned ones between."""
    draw = random.Random(seed)
    assigned = [chr(code) for code in range(0x20, 0x30000)
                if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co") and code != 0x2585]
    unassigned = [chr(code) for code in (0x378, 0x2FE0, 0xE000, 0xFDD0, 0xFFFF, 0x10FFFF, 0xE0080, 0x1FFFE)]
    odd = list("\t\x01\x07\x0b\x0c\r\x1f\x7f\x85\xa0\xad\u200b\u200d\u2028\u202e\ufeff\ufffd\u3000\uff5e０１９ﷺ㍿ﬁΆ")
    result = []
    for _ in range(lines):
        words = []
        for _ in range(draw.randint(0, 9)):
            first = draw.randrange(len(assigned))
            nearby = assigned[first:first + 6]
            words.append("".join(draw.choice(nearby) for _ in range(draw.randint(1, 7))))
        line = draw.choice([" ", "  ", "", "▁", "\t", "　"]).join(words)
        for _ in range(draw.choice([0, 0, 1, 3])):
            place = draw.randint(0, len(line))
            line = line[:place] + draw.choice(odd + unassigned) + line[place:]
        result.append(line.replace("\n", ""))
    return ("\n".join(result) + "\n").encode("utf-8")


def broken(seed, lines):
    """Text with bytes flipped, dropped and put in, NUL among them, and a last line without an end."""
    draw = random.Random(seed)
    text = bytearray("".join(
        draw.choice(["中国人民", "naïve café", "привет", "한국어", "😀😁", "e\u0301", "①②", "abc abc"])
        + draw.choice(" \n") for _ in range(lines * 5)).encode("utf-8"))
    for _ in range(lines):
        place = draw.randrange(len(text))
        kind = draw.randrange(3)
        if kind == 0:
            text[place] = draw.choice([0, 0x80, 0xC0, 0xE2, 0xED, 0xF5, 0xFF, 0x41])
        elif kind == 1:
            del text[place]
        else:
            text.insert(place, draw.randrange(256))
    return bytes(text)


def counted(text, seed):
    """Words with frequencies, tabs between."""
    draw = random.Random(seed)
    words = sorted(set(text.decode("utf-8", "replace").replace("\t", " ").split()))
    return "".join(f"{word}\t{draw.choice([1, 1, 2, 3, 10, 1000])}\n" for word in words).encode("utf-8")


def make_corpora(shared, directory):
    chinese = head(ROOT / "corpora/sample.zh.txt", 300)
    english = head(ROOT / "corpora/sample.en.txt", 300)
    contents = {
        "zh": chinese, "en": english, "scripts": every_script(1, 400), "broken": broken(2, 400),
        "zh.tsv": counted(chinese, 3), "en.tsv": counted(english, 4), "scripts.tsv": counted(every_script(5, 200), 5),
        "tiny": b"abracadabra\npen\npineapple\napple\nhellohe\naaaaaaa\nbaaab aab aaaa\n\n   \nab ab\n",
        "one": b"abcabcabc\n", "crlf": english.replace(b"\n", b"\r\n")[:20000], "cut": "人|工|智能 机|器 学习|的|方法\n".encode() * 3 + chinese[:6000],
    }
    for name, count in (("wiki.zh.txt", 150), ("tang-poems.zh-hant.txt", 300), ("wagahai.ja.txt", 60), ("botchan.en.txt", 300)):
        if (shared / "corpora" / name).exists():
            contents[name] = head(shared / "corpora" / name, count)
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return {name: directory / name for name in contents}


# Flags

PLAIN = ("zh", "en", "scripts", "broken", "crlf", "cut", "wiki.zh.txt", "tang-poems.zh-hant.txt", "wagahai.ja.txt",
         "botchan.en.txt")
TABLES = ("zh.tsv", "en.tsv", "scripts.tsv")
TINY = ("tiny", "one")
LLAMA = dict(normalization_rule_name="identity", byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True)
PIECE_RULES = [
    {}, LLAMA, dict(character_coverage=1.0), dict(character_coverage=0.98, byte_fallback=True),
    dict(split_by_whitespace=False), dict(split_by_whitespace=False, allow_whitespace_only_pieces=True),
    dict(split_by_unicode_script=False), dict(split_by_number=False), dict(split_by_number=False, split_by_unicode_script=False),
    dict(split_digits=True), dict(treat_whitespace_as_suffix=True), dict(treat_whitespace_as_suffix=True, split_by_whitespace=False),
    dict(treat_whitespace_as_suffix=True, allow_whitespace_only_pieces=True, remove_extra_whitespaces=False),
    dict(allow_whitespace_only_pieces=True, remove_extra_whitespaces=False), dict(max_sentencepiece_length=2),
    dict(max_sentencepiece_length=5, split_by_unicode_script=False, split_by_whitespace=False),
    dict(pretokenization_delimiter="|"), dict(pretokenization_delimiter="的"),
]
NORMALIZATION = [
    dict(normalization_rule_name="nfkc"), dict(normalization_rule_name="nmt_nfkc_cf"), dict(normalization_rule_name="nfkc_cf"),
    dict(normalization_rule_name="identity", add_dummy_prefix=False),
    dict(add_dummy_prefix=False, remove_extra_whitespaces=False), dict(normalization_rule_tsv="RULES"),
    dict(denormalization_rule_tsv="RULES"), dict(normalization_rule_tsv="RULES", denormalization_rule_tsv="RULES"),
]
SPECIAL = [
    dict(control_symbols=["<sep>", "<a,b>", "的"]), dict(user_defined_symbols=["的", "the", "abra", "1", "<s>"]),
    dict(user_defined_symbols=["▁the", "中国", "国人"], control_symbols=["</s>", "<pad>"], pad_id=3),
    dict(unk_id=3, bos_id=-1, eos_id=0, pad_id=1), dict(unk_piece="[UNK]", bos_piece="[B]", eos_piece="[E]", pad_piece="[P]", pad_id=5),
    dict(required_chars="龘𠀀Ωa的"), dict(required_chars="的的", character_coverage=0.98),
    dict(unk_id=-1, byte_fallback=True), dict(unk_surface="?", vocabulary_output_piece_score=False),
    dict(bos_id=-1, eos_id=-1, byte_fallback=True),
]
INPUT = [
    dict(input_sentence_size=101, shuffle_input_sentence=False), dict(max_sentence_length=60),
    dict(num_threads=1), dict(input_sentence_size=100000), dict(input_format="text"),
]
COUNTED = [dict(use_all_vocab=True), dict(use_all_vocab=True, character_coverage=0.98), dict(vocab_size=40), dict(hard_vocab_limit=True, vocab_size=60)]
REFUSED = [
    dict(vocab_size=0), dict(vocab_size=-5), dict(vocab_size=20), dict(vocab_size=1000000, hard_vocab_limit=True),
    dict(use_all_vocab=True), dict(character_coverage=0.9), dict(character_coverage=1.1), dict(max_sentencepiece_length=0),
    dict(max_sentencepiece_length=513), dict(num_sub_iterations=0), dict(num_sub_iterations=11), dict(num_threads=0),
    dict(num_threads=1025), dict(shrinking_factor=0.4), dict(shrinking_factor=0.96), dict(max_sentence_length=9),
    dict(input_sentence_size=100), dict(unk_piece=""), dict(pad_piece=""), dict(seed_sentencepieces_file="RULES"),
    dict(auto_character_coverage=True), dict(auto_character_coverage=True, byte_fallback=True, required_chars="a"),
    dict(input_format="csv"), dict(input_format="tsv"), dict(unk_id=-1), dict(unk_id=1), dict(bos_id=100000),
    dict(control_symbols=["<unk>"]), dict(control_symbols=["a", "a"]), dict(user_defined_symbols=["x"], control_symbols=["x"]),
    dict(control_symbols=["<0x41>"], byte_fallback=True), dict(unk_piece="<s>"), dict(input="/nonexistent"),
    dict(max_sentence_length=10), dict(normalization_rule_name="nfd"), dict(normalization_rule_tsv="EMPTY"),
    dict(normalization_rule_tsv="BAD"), dict(normalization_rule_tsv="SAME"), dict(required_chars="的", user_defined_symbols=["的"]),
    dict(vocab_size=100000, pad_id=99999, hard_vocab_limit=False),
]


def size(corpus, kind):
    if corpus in TINY:
        return 40 if kind != "unigram" else 24
    return {"zh": 1800, "zh.tsv": 1800, "wiki.zh.txt": 3500, "tang-poems.zh-hant.txt": 2800, "wagahai.ja.txt": 2200,
            "scripts": 9000, "scripts.tsv": 2200, "cut": 1500}.get(corpus, 700)


def cases():
    """(group, corpus, flags) of every training."""
    for kind in ("bpe", "unigram", "char", "word"):
        learns = kind in ("bpe", "unigram")
        rules = PIECE_RULES if learns else PIECE_RULES[:5] + PIECE_RULES[10:14]
        for number, corpus in enumerate(PLAIN + TABLES + TINY):
            chosen = [{}, LLAMA] if corpus in PLAIN + TABLES else [{}, dict(normalization_rule_name="identity", add_dummy_prefix=False)]
            # Each corpus meets a part of the flags, each flag several corpora.
            extra = rules + NORMALIZATION + SPECIAL + ([] if corpus in TABLES else INPUT) + ([] if learns else COUNTED)
            step = {"bpe": 3, "unigram": 6}.get(kind, 7)
            chosen = chosen + [flags for index, flags in enumerate(extra) if (index + number) % step == 0]
            if kind == "bpe" and corpus not in TINY:
                chosen.append(dict(auto_character_coverage=True, byte_fallback=True, vocab_size=900))
            if kind == "unigram":
                chosen += [dict(num_threads=threads) for threads in (1, 2)]
            for flags in chosen:
                yield kind, corpus, flags
    for seed in range(12):
        yield "bpe", f"letters{seed}", dict(normalization_rule_name="identity", add_dummy_prefix=seed % 2 == 0)
    for index, flags in enumerate(REFUSED):
        yield "refused", "zh" if index % 2 else "en", dict(model_type="bpe", hard_vocab_limit=True, **flags) if "hard_vocab_limit" not in flags else dict(model_type="bpe", **flags)


def few_letters(seed):
    """A text of few letters, whose pairs tie, overlap and run out."""
    draw = random.Random(seed)
    letters = "ab" if seed % 3 == 0 else "abcd"
    return "".join("".join(draw.choice(letters) for _ in range(draw.randint(1, 12))) + draw.choice(" \n")
                   for _ in range(draw.randint(3, 80))).encode("utf-8")


# Training


def complete(kind, corpus, path, flags, rules):
    options = {"input": str(path), "model_type": kind, "vocab_size": size(corpus, kind), "hard_vocab_limit": False}
    if corpus in TABLES:
        options["input_format"] = "tsv"
    options.update(flags)
    if options.get("byte_fallback"):
        options["vocab_size"] += 256 if options["vocab_size"] > 0 else 0
    for name in ("normalization_rule_tsv", "denormalization_rule_tsv", "seed_sentencepieces_file"):
        if name in options:
            options[name] = str(rules[options[name]])
    return options


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(f'"{item}"' if "," in item else item for item in value) if isinstance(value, list) else str(value)


def train_ours(program, prefix, options):
    """None if trained, else the message."""
    command = [program, "train", f"--model_prefix={prefix}", "--progress=none"]
    command += [f"--{name}={text(value)}" for name, value in options.items()]
    result = subprocess.run(command, capture_output=True)
    if result.returncode in (0, 1, 64, 65):
        return None if result.returncode == 0 else result.stderr.decode("utf-8", "replace").strip()
    raise RuntimeError(f"kuoci ended with {result.returncode}: {result.stderr.decode('utf-8', 'replace')[-300:]}")


def train_theirs(prefix, options):
    try:
        sentencepiece.SentencePieceTrainer.train(model_prefix=str(prefix), minloglevel=4, **options)
        return None
    except (RuntimeError, OSError, ValueError) as error:
        return str(error)


def load(path):
    model = model_pb2.ModelProto()
    model.ParseFromString(pathlib.Path(path).read_bytes())
    return model


def rows(model):
    return [(piece.piece, struct.pack("<f", piece.score).hex(), piece.type) for piece in model.pieces]


def specs(model):
    """What the specifications mean: the values, set or default, but for the prefix, which differs."""
    values = []
    for name in ("trainer_spec", "normalizer_spec", "denormalizer_spec"):
        spec = getattr(model, name)
        for field in spec.DESCRIPTOR.fields:
            if field.name != "model_prefix":
                value = getattr(spec, field.name)
                values.append((name, field.name, list(value) if field.is_repeated else value))
    return values


def compare(program, directory, kind, corpus, path, flags, rules, totals, found):
    options = complete(kind if kind != "refused" else "bpe", corpus, path, flags, rules)
    ours, theirs = directory / "ours", directory / "theirs"
    for left in list(directory.glob("ours.*")) + list(directory.glob("theirs.*")):
        left.unlink()
    label = f"{corpus} {flags}"
    refusals = train_ours(program, ours, options), train_theirs(theirs, options)
    if any(refusals):
        if not all(refusals):
            found.append((label, refusals[0] or "trained", refusals[1] or "trained"))
        totals["refused"] += 1
        return
    if kind == "refused":
        found.append((label, "trained", "trained, where both should refuse"))
    our_model, their_model = load(f"{ours}.model"), load(f"{theirs}.model")
    wrong = differences(rows(our_model), rows(their_model)) + differences(specs(our_model), specs(their_model))
    if pathlib.Path(f"{ours}.vocab").read_bytes() != pathlib.Path(f"{theirs}.vocab").read_bytes():
        wrong.append((".vocab", "other bytes", "other bytes"))
    if wrong:
        place, mine, other = wrong[0]
        found.append((f"{label}: {len(wrong)} places, first {place}", mine, other))
    totals["trained"] += 1
    totals["pieces"] += len(our_model.pieces)


def check_group(report, name, program, directory, corpora, rules, group):
    found, totals = [], {"trained": 0, "refused": 0, "pieces": 0}
    for kind, corpus, flags in group:
        path = corpora.get(corpus)
        if path is None:
            path = directory / corpus
            path.write_bytes(few_letters(int(corpus.removeprefix("letters"))))
        compare(program, directory, kind, corpus, path, flags, rules, totals, found)
    if os.environ.get("KUOCI_SHOW_ALL"):
        for place, mine, other in found:
            print(f"  {place}\n    ours   {str(mine)[:300]}\n    theirs {str(other)[:300]}", flush=True)
    report.equal(name, f"{totals['trained']} trainings, {totals['pieces']} pieces, {totals['refused']} refused by both", found)
    return totals["trained"]


# What sentencepiece has no trainer for, checked by its readers


def check_counts(report, name, program, directory, path):
    """Counts of three shards, added up, train the model of the text itself."""
    content = [line + b"\n" for line in path.read_bytes().removesuffix(b"\n").split(b"\n")]
    found = []
    for kind, flags in (("bpe", {}), ("bpe", LLAMA), ("word", {}), ("char", dict(character_coverage=0.98))):
        shared = [f"--{key}={text(value)}" for key, value in {"model_type": kind, **flags}.items()]
        counting = [flag for flag in shared if "coverage" not in flag]
        tables = []
        for shard in range(3):
            tables.append(directory / f"shard{shard}.tsv")
            stdin = b"".join(content[shard::3])
            tables[-1].write_bytes(kuoci(program, "count", *counting, "--progress=none", stdin=stdin))
        total = directory / "sum.tsv"
        kuoci(program, "count", "--merge", *tables, f"--out={total}", "--force", "--progress=none")
        common = [*shared, "--vocab_size=9000", "--hard_vocab_limit=false", "--progress=none", "--force"]
        for prefix, source in (("whole", [f"--input={path}"]), ("summed", [f"--input={total}", "--input_format=tsv"])):
            kuoci(program, "train", *source, *common, f"--model_prefix={directory / prefix}")
        found += differences(rows(load(directory / "summed.model")), rows(load(directory / "whole.model")))
    report.equal(name, "4 models", found)


def check_continuation(report, name, program, directory, path, base, english):
    """Each new piece encodes to itself; the base's pieces stay; with Han alone English texts keep their ids."""
    found, count = [], 0
    before = sentencepiece.SentencePieceProcessor(model_file=str(base))
    for scripts in ("Han", ""):
        prefix = directory / "continued"
        kuoci(program, "train", f"--input={path}", f"--base-model={base}", "--new-pieces=2500", f"--scripts={scripts}",
              f"--model-prefix={prefix}", "--hard-vocab-limit=false", "--force", "--progress=none")
        model, old = load(f"{prefix}.model"), load(base)
        found += differences(rows(model)[:len(old.pieces)], rows(old))
        after = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
        model.normalizer_spec.add_dummy_prefix = False
        model.normalizer_spec.remove_extra_whitespaces = False
        bare = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
        for number in range(len(old.pieces), len(model.pieces)):
            piece = model.pieces[number].piece
            if bare.encode(piece.replace("▁", " ")) != [number]:
                found.append((piece, bare.encode(piece), [number]))
            count += 1
        if scripts:
            lines = english.read_text(encoding="utf-8").split("\n")
            found += differences(after.encode(lines), before.encode(lines))
    report.equal(name, f"{count} new pieces reached", found)


def write_rules(directory):
    files = {
        "RULES": "41\t61\n61 62\t63\nU+7684\t7684 20\n3002\t\n20 20\t20\t# two spaces\n1F600\t3A 29\n65 301\tE9\n",
        "EMPTY": "", "BAD": "41\tzz\n", "SAME": "41\t41\n",
    }
    for name, content in files.items():
        (directory / name).write_text(content, encoding="utf-8")
    return {name: directory / name for name in files}


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    with tempfile.TemporaryDirectory() as work:
        directory = pathlib.Path(work)
        corpora, rules = make_corpora(options.shared, directory), write_rules(directory)
        groups = {}
        for kind, corpus, flags in cases():
            family = "few letters" if corpus.startswith("letters") else corpus
            if corpus in corpora or corpus.startswith("letters"):
                groups.setdefault(f"trainings, {kind}" + ("" if kind == "refused" else f", {family}"), []).append((kind, corpus, flags))
        for name, group in groups.items():
            report.run(name, check_group, options.kuoci, directory, corpora, rules, group)
        for name in ("zh", "en", "scripts", "wagahai.ja.txt"):
            if name in corpora:
                report.run(f"counts of shards, {name}", check_counts, options.kuoci, directory, corpora[name])
        base = options.shared / "tokenizers/llama-32k.model"
        for name in ("wiki.zh.txt", "wagahai.ja.txt"):
            if name in corpora and base.exists():
                report.run(f"continued, {name}", check_continuation, options.kuoci, directory, corpora[name], base,
                           corpora["botchan.en.txt"])
    report.end()


if __name__ == "__main__":
    main()
