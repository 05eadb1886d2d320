"""The text spine beside sentencepiece 0.2.3: BPE training, encoding, decoding, merging, Hugging Face files."""

import pathlib
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2

from harness import ROOT, Report, arguments, differences, kuoci, lines

SENTENCE = "人工智能是计算机科学、心理学、哲学等学科融合的交叉学科。"

LLAMA_FLAGS = {
    "normalization_rule_name": "identity",
    "byte_fallback": True,
    "split_digits": True,
    "allow_whitespace_only_pieces": True,
}
FLAG_SETS = {"default flags": {}, "LLaMA's flags": LLAMA_FLAGS}


def existing(paths):
    return [path for path in paths if path.exists()]


def shared_corpora(shared):
    return existing(shared / "corpora" / name for name in (
        "wiki.zh.txt", "tang-poems.zh-hant.txt", "wagahai.ja.txt", "botchan.en.txt"))


def own_corpora():
    """The committed samples, and what the main job held out, where it has run."""
    samples = sorted((ROOT / "corpora").glob("sample*.txt"))
    return samples + existing([ROOT / "out/corpus/zh.heldout.txt", ROOT / "out/corpus/en.heldout.txt"])


# Training


def flags(options):
    for name, value in options.items():
        yield f"--{name}={str(value).lower() if isinstance(value, bool) else value}"


def train_both(program, corpus, directory, options):
    ours, theirs = directory / "ours", directory / "theirs"
    options = {"vocab_size": 8000, "model_type": "bpe", "character_coverage": 0.9995, **options}
    kuoci(program, "train", f"--input={corpus}", f"--model_prefix={ours}", *flags(options))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(theirs), minloglevel=2, **options)
    return ours, theirs


def load(path):
    model = model_pb2.ModelProto()
    model.ParseFromString(pathlib.Path(path).read_bytes())
    return model


def rows(model):
    return [(piece.piece, piece.score, piece.type) for piece in model.pieces]


def specs(model):
    """The values of both specifications, set or default, but for the paths that differ between two runs.

    spm_train writes defaults out and the Python module does not: what they mean is the same.
    """
    values = []
    for spec in (model.trainer_spec, model.normalizer_spec):
        for field in spec.DESCRIPTOR.fields:
            if field.name not in ("input", "model_prefix"):
                value = getattr(spec, field.name)
                values.append((field.name, list(value) if field.is_repeated else value))
    return values


def check_training(report, name, program, corpus, options):
    with tempfile.TemporaryDirectory() as directory:
        ours, theirs = train_both(program, corpus, pathlib.Path(directory), options)
        our_model, their_model = load(f"{ours}.model"), load(f"{theirs}.model")
        found = differences(rows(our_model), rows(their_model))
        if pathlib.Path(f"{ours}.vocab").read_bytes() != pathlib.Path(f"{theirs}.vocab").read_bytes():
            found.append((".vocab", "other bytes", "other bytes"))
        found += differences(specs(our_model), specs(their_model))
        texts = lines(corpus)[:2000]
        opened = sentencepiece.SentencePieceProcessor(model_file=f"{ours}.model")
        found += differences(encode(program, f"{ours}.model", texts), opened.encode(texts))
        report.equal(name, f"{len(our_model.pieces)} pieces, {len(texts)} lines encoded", found)


def training_cases(shared):
    """(corpus, vocabulary sizes): what can be trained in seconds, the largest last."""
    sizes = {"wiki.zh.txt": (5000, 20000), "tang-poems.zh-hant.txt": (8000,), "wagahai.ja.txt": (8000,),
             "botchan.en.txt": (1000, 8000)}
    cases = [(path, size) for path in shared_corpora(shared) for size in sizes[path.name]]
    for path in sorted((ROOT / "corpora").glob("sample*.txt")):
        cases.append((path, 400 if ".en" in path.name else 2500))
    main_job = ROOT / "out/corpus/zh.txt"
    return cases + ([(main_job, 20000)] if main_job.exists() else [])


def check_all_training(report, program, shared):
    for label, options in FLAG_SETS.items():
        for corpus, size in training_cases(shared):
            name = f"BPE training, {label}, {size} of {corpus.name}"
            report.run(name, check_training, program, corpus, {**options, "vocab_size": size})


# Encoding


def encode(program, model, texts, output_format="id"):
    stdin = "".join(text + "\n" for text in texts).encode("utf-8")
    stdout = kuoci(program, "encode", "--model", model, "--output-format", output_format, stdin=stdin)
    split = [line.split(" ") if line else [] for line in stdout.decode("utf-8").removesuffix("\n").split("\n")]
    return [[int(item) for item in line] for line in split] if output_format == "id" else split


def decode(program, model, ids):
    stdin = "".join(" ".join(map(str, line)) + "\n" for line in ids).encode("utf-8")
    stdout = kuoci(program, "decode", "--model", model, "--input-format", "id", stdin=stdin)
    return stdout.decode("utf-8").removesuffix("\n").split("\n")


def check_encoding(report, name, program, model, corpus):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    texts = lines(corpus)
    ids = processor.encode(texts)
    found = differences(encode(program, model, texts), ids)
    found += differences(encode(program, model, texts, "piece"), processor.encode(texts, out_type=str))
    found += differences(decode(program, model, ids), processor.decode(ids))
    report.equal(name, f"{len(texts)} lines, {sum(map(len, ids))} ids", found)


def check_sentence(report, name, program, base, merged):
    counts = [len(encode(program, model, [SENTENCE])[0]) for model in (base, merged)]
    report.equal(name, f"{counts[0]} and {counts[1]}", differences(counts, [35, 16]))


# Merging


def merged_by_hand(base_path, added_path):
    """The published recipe: each new piece appended in file order, score 0, type normal."""
    base, added = load(base_path), load(added_path)
    present = {piece.piece for piece in base.pieces}
    for piece in added.pieces:
        if piece.piece not in present:
            appended = model_pb2.ModelProto.SentencePiece()
            appended.piece = piece.piece
            appended.score = 0
            base.pieces.append(appended)
    return base.SerializeToString(), len(base.pieces)


def check_merge(report, name, base, added, merged, entries):
    theirs, count = merged_by_hand(base, added)
    ours = (merged / "tokenizer.model").read_bytes()
    found = [] if entries in (None, count) else [("entries", count, entries)]
    if ours != theirs:
        at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
        found.append((f"byte {at}", f"{len(ours)} bytes", f"{len(theirs)} bytes"))
    report.equal(name, f"{len(ours)} bytes, {count} entries", found)


def differing_lines(texts, theirs, ours):
    return sum(a != b for a, b in zip(ours, theirs)), len(texts)


def check_tokenizers(report, name, merged, corpus):
    """Opens in `tokenizers`. Equal scores cannot be expressed there, so differing lines are counted, not failed."""
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(merged / "tokenizer.json"))
    processor = sentencepiece.SentencePieceProcessor(model_file=str(merged / "tokenizer.model"))
    size, expected = tokenizer.get_vocab_size(), processor.get_piece_size()
    texts = lines(corpus)
    theirs = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    differing, total = differing_lines(texts, theirs, processor.encode(texts))
    report.equal(name, f"{size} entries; {differing} of {total} lines of {corpus.name} differ",
                 differences([size], [expected]))


def check_transformers(report, name, merged, corpus):
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(merged))
    processor = sentencepiece.SentencePieceProcessor(model_file=str(merged / "tokenizer.model"))
    texts = lines(corpus)
    theirs = tokenizer(texts, add_special_tokens=False)["input_ids"]
    differing, total = differing_lines(texts, theirs, processor.encode(texts))
    specials = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id)
    text = f"{type(tokenizer).__name__} of {len(tokenizer)}; {differing} of {total} lines of {corpus.name} differ"
    report.equal(name, text, differences([len(tokenizer), specials], [processor.get_piece_size(), (1, 2, 0)]))


def check_pair(report, program, label, base, added, directory, corpora, entries=None):
    """Everything about one base vocabulary, one added vocabulary, and what merging makes of them."""
    merged = directory / f"merged-{label}".replace(" ", "-")
    names = {model: f"{model.stem} of {label}" for model in (base, added)}
    try:
        kuoci(program, "merge", "--policy", "append", "--base", base, "--add", added, "--out", merged)
        names[merged / "tokenizer.model"] = f"merged of {label}"
        report.run(f"merged bytes, {label}", check_merge, base, added, merged, entries)
        report.run(f"tokenizer.json in tokenizers, {label}", check_tokenizers, merged, corpora[0])
        report.run(f"directory in transformers, {label}", check_transformers, merged, corpora[0])
    except RuntimeError as error:
        report.failed(f"merge, {label}", str(error))
    for model, name in names.items():
        for corpus in corpora:
            report.run(f"ids and text, {name}, {corpus.name}", check_encoding, program, model, corpus)
    return merged / "tokenizer.model"


def check_shared(report, program, shared, directory, corpora):
    base = shared / "tokenizers/llama-32k.model"
    added = shared / "tokenizers/chinese-20k.model"
    if not (base.exists() and added.exists()):
        report.skipped("shared vocabularies", f"{shared} holds no tokenizers/llama-32k.model and chinese-20k.model")
        return
    merged = check_pair(report, program, "shared", base, added, directory, corpora, entries=49953)
    report.run("the 28-character sentence", check_sentence, program, base, merged)


def check_own(report, program, directory, corpora):
    base, added = ROOT / ".deps/base/tokenizer.model", ROOT / "vocab/zh-20k.model"
    missing = [path for path in (base, added) if not path.exists()]
    if missing:
        report.skipped("own vocabularies", f"{missing[0]} is not there")
        return
    check_pair(report, program, "own", base, added, directory, corpora)


def check_unigram(report, program, directory, corpora):
    """A unigram model that sentencepiece trains here, so that unigram is checked without the shared data too."""
    prefix = directory / "unigram"
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpora[0]), model_prefix=str(prefix), vocab_size=6000, hard_vocab_limit=False, byte_fallback=True,
        character_coverage=0.98, minloglevel=2)
    for corpus in corpora:
        report.run(f"ids and text, fresh unigram, {corpus.name}", check_encoding, program, f"{prefix}.model", corpus)


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    if not options.shared.exists():
        report.skipped("shared corpora", f"no {options.shared}: the repository's own samples must do")
    corpora = shared_corpora(options.shared) + own_corpora()
    check_all_training(report, options.kuoci, options.shared)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        check_shared(report, options.kuoci, options.shared, directory, corpora)
        check_own(report, options.kuoci, directory, corpora)
        check_unigram(report, options.kuoci, directory, corpora)
    report.end()


if __name__ == "__main__":
    main()
