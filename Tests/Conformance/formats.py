"""Compares kuoci's formats with their own readers: tokenizer.json with `tokenizers`, GGUF with `gguf`, and round trips.

Our reader of tokenizer.json must give the ids and the text that `tokenizers` gives, on every line.
"""

import json
import pathlib
import random
import tempfile

import gguf
import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from tokenizers import decoders, models, normalizers, pre_tokenizers

from harness import Report, arguments, differences, kuoci, lines

SEED = 20240607
ALPHABETS = (
    "abc XYZ 019 .,;!?'\"-_(){}<>/\\\t", "人工智能的一是在不了有和。，、！？「」　ＡＢ①㍿", "äöüßéèñ e\u0301a\u0308ﬁ½²",
    "日本語テキスト한국어अआकिัไทย", "😀👩‍👩‍👧🇨🇳\u200d\ufe0f", "\u0000\u0001\u00a0\u2028\u3000\ufeff\ufffd\ue000\U0010ffff▁",
)
NAMES = ("<s>", "</s>", "<unk>", "<pad>", "<0x0A>", "<sep>", " <s> ", "a<s>b")


def random_texts(count):
    """Lines of mixed scripts, spaces, controls and special tokens' names, the same each time; none holds a line feed."""
    generator = random.Random(SEED)
    texts = []
    for _ in range(count):
        parts = []
        for _ in range(generator.randint(0, 12)):
            alphabet = generator.choice(ALPHABETS)
            if generator.random() < 0.08:
                parts.append(generator.choice(NAMES))
            elif generator.random() < 0.15:
                parts.append(generator.choice(alphabet) * generator.randint(2, 20))
            else:
                parts.append("".join(generator.choice(alphabet) for _ in range(generator.randint(1, 10))))
        texts.append("".join(parts))
    return texts


def our_ids(program, file, texts):
    stdin = "".join(text + "\n" for text in texts).encode("utf-8")
    stdout = kuoci(program, "encode", "--model", file, "--output-format", "id", stdin=stdin).decode("utf-8")
    return [[int(item) for item in line.split()] for line in stdout.removesuffix("\n").split("\n")]


def check_reader(report, name, program, file, texts):
    """Ids and decoded text of a tokenizer.json, ours against tokenizers'."""
    peer = tokenizers.Tokenizer.from_file(str(file))
    ids = [encoding.ids for encoding in peer.encode_batch(texts, add_special_tokens=False)]
    found = differences(our_ids(program, file, texts), ids)
    stdin = "".join(" ".join(map(str, line)) + "\n" for line in ids).encode("utf-8")
    ours = kuoci(program, "decode", "--model", file, "--input-format", "id", stdin=stdin)
    theirs = "".join(text + "\n" for text in peer.decode_batch(ids)).encode("utf-8")
    if ours != theirs:
        found += differences(ours.split(b"\n"), theirs.split(b"\n"))
    report.equal(name, f"{len(texts)} lines, {sum(map(len, ids))} ids", found)


def check_against_model(report, name, program, model, file, corpus):
    """The tokenizer.json of a model without score ties gives sentencepiece's ids in `tokenizers`."""
    texts = lines(corpus)
    peer = tokenizers.Tokenizer.from_file(str(file))
    theirs = [encoding.ids for encoding in peer.encode_batch(texts, add_special_tokens=False)]
    expected = sentencepiece.SentencePieceProcessor(model_file=str(model)).encode(texts)
    report.equal(name, f"{len(texts)} lines", differences(theirs, expected))


def check_count(report, name, program, model, directory, corpus):
    """What `convert` prints is the number of lines on which `tokenizers` and sentencepiece differ."""
    file = directory / "counted.json"
    text = kuoci(program, "convert", "--from", model, "--to", file, "--check-text", corpus, "--force").decode("utf-8")
    printed = int(text.split("; ")[1].split(" of ")[0])
    texts = lines(corpus)
    peer = tokenizers.Tokenizer.from_file(str(file))
    theirs = [encoding.ids for encoding in peer.encode_batch(texts, add_special_tokens=False)]
    expected = sentencepiece.SentencePieceProcessor(model_file=str(model)).encode(texts)
    count = sum(a != b for a, b in zip(theirs, expected))
    report.equal(name, f"{printed} of {len(texts)} lines, as counted by the peers", differences([printed], [count]))


def load(path):
    proto = model_pb2.ModelProto()
    proto.ParseFromString(pathlib.Path(path).read_bytes())
    return proto


def check_gguf(report, name, program, model, directory):
    """The `gguf` package reads what convert writes: every token, score and type, and the ids."""
    file = directory / "vocabulary.gguf"
    kuoci(program, "convert", "--from", model, "--to", file, "--force")
    reader = gguf.GGUFReader(str(file))
    proto = load(model)

    def field(key):
        return reader.fields["tokenizer.ggml." + key]

    tokens = field("tokens")
    ours = [
        (bytes(tokens.parts[index]).decode("utf-8"), float(field("scores").parts[field("scores").data[i]][0]),
         int(field("token_type").parts[field("token_type").data[i]][0]))
        for i, index in enumerate(tokens.data)
    ]
    found = differences(ours, [(piece.piece, piece.score, piece.type) for piece in proto.pieces])
    for key, expected in (("unknown", proto.trainer_spec.unk_id), ("bos", proto.trainer_spec.bos_id),
                          ("eos", proto.trainer_spec.eos_id)):
        found += differences([int(field(key + "_token_id").parts[-1][0])], [expected])
    found += differences([bool(field("add_space_prefix").parts[-1][0])], [proto.normalizer_spec.add_dummy_prefix])
    found += differences([len(reader.tensors)], [0])
    report.equal(name, f"{len(ours)} entries", found)


def check_round_trip(report, name, program, model, directory, ending):
    """model -> format -> model: the same pieces, scores and types, or at least the same ids."""
    middle, back = directory / f"trip.{ending}", directory / "trip.model"
    kuoci(program, "convert", "--from", model, "--to", middle, "--force")
    kuoci(program, "convert", "--from", middle, "--to", back, "--force")
    first, last = load(model), load(back)
    if ending == "gguf":
        parts = [[(piece.piece, piece.score, piece.type) for piece in proto.pieces] for proto in (last, first)]
    else:
        parts = [[(piece.piece, piece.type) for piece in proto.pieces] for proto in (last, first)]
    found = differences(*parts)
    texts = [text.replace("<s>", "").replace("</s>", "") for text in random_texts(2000)]
    processors = [sentencepiece.SentencePieceProcessor(model_file=str(path)) for path in (back, model)]
    found += differences(processors[0].encode(texts), processors[1].encode(texts))
    report.equal(name, f"{len(parts[0])} entries, {len(texts)} lines", found)


def converted(kind, model, directory):
    """A unigram tokenizer.json in the shape that transformers' converters give XLM-R and T5."""
    proto = load(model)
    vocabulary = [(piece.piece, piece.score) for piece in proto.pieces]
    if kind == "XLM-R":
        vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + vocabulary[3:] + [("<mask>", 0.0)]
    tokenizer = tokenizers.Tokenizer(models.Unigram(vocabulary, unk_id=3 if kind == "XLM-R" else 0))
    steps = [normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
             normalizers.Strip(left=False, right=True), normalizers.Replace(tokenizers.Regex(" {2,}"), "▁")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens([tokenizers.AddedToken(token, special=True, normalized=False) for token in ("<s>", "</s>")])
    tokenizer.add_tokens([tokenizers.AddedToken("<sep>", lstrip=True, rstrip=True), tokenizers.AddedToken("智能", single_word=True)])
    file = directory / f"{kind}.json"
    tokenizer.save(str(file))
    return file


def legacy_free(file, directory):
    """The same BPE with Metaspace in place of a normalizer, and merges in pairs, as newer files are."""
    tokenizer = tokenizers.Tokenizer.from_file(str(file))
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    path = directory / (pathlib.Path(file).stem + "-metaspace.json")
    tokenizer.save(str(path))
    merges = json.loads(path.read_text(encoding="utf-8"))["model"]["merges"]
    assert isinstance(merges[0], list), "tokenizers no longer writes merges as pairs"
    return path


def check_all(report, program, shared, directory):
    base, added = shared / "tokenizers/llama-32k.model", shared / "tokenizers/chinese-20k.model"
    if not (base.exists() and added.exists()):
        report.skipped("formats", f"{shared} holds no tokenizers/llama-32k.model and chinese-20k.model")
        return
    corpora = sorted((shared / "corpora").glob("*.txt"))
    kuoci(program, "merge", "--policy", "append", "--base", base, "--add", added, "--out", directory / "merged")
    merged = directory / "merged/tokenizer.model"
    files = {}
    for label, model in (("llama-32k", base), ("merged", merged), ("chinese-20k", added)):
        files[label] = directory / f"{label}.json"
        kuoci(program, "convert", "--from", model, "--to", files[label])
    for label in ("llama-32k", "merged"):
        files[label + " with Metaspace"] = legacy_free(files[label], directory)
    for kind in ("XLM-R", "T5"):
        files[kind] = converted(kind, added, directory)
    for label, file in files.items():
        for corpus in corpora:
            report.run(f"tokenizer.json of {label}, {corpus.name}", check_reader, program, file, lines(corpus))
        report.run(f"tokenizer.json of {label}, random text", check_reader, program, file, random_texts(20000))
    for corpus in corpora:
        report.run(f"llama-32k as tokenizer.json is its .model, {corpus.name}", check_against_model, program, base,
                   files["llama-32k"], corpus)
        report.run(f"printed count of the merged, {corpus.name}", check_count, program, merged, directory, corpus)
    for label, model in (("llama-32k", base), ("merged", merged), ("chinese-20k", added)):
        report.run(f"GGUF of {label} in gguf", check_gguf, program, model, directory)
        report.run(f"{label} to GGUF and back", check_round_trip, program, model, directory, "gguf")
    report.run("llama-32k to tokenizer.json and back", check_round_trip, program, base, directory, "json")


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    with tempfile.TemporaryDirectory() as name:
        check_all(report, options.kuoci, options.shared, pathlib.Path(name))
    report.end()


if __name__ == "__main__":
    main()
