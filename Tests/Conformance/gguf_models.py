"""Models as GGUF files beside gguf, transformers and, where they are there, llama.cpp's own converter and llama.cpp.

`--llama-cpp DIR` names a llama.cpp source tree (its convert_hf_to_gguf.py is run); a `llama_cpp` that can be imported is
used for logits. Without them these checks are skipped.
"""

import importlib.util
import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import gguf
import numpy
import sentencepiece
import torch
from gguf import quants
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from checkpoints import bits, tensors
from harness import ROOT, Report, arguments, differences, kuoci

TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0")
FILE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7, "bf16": 32}
HEADS, GROUPS = 4, 2


def make_tokenizer(directory):
    """A small BPE tokenizer that llama.cpp can use: byte fallback, no normalization. And its number of entries."""
    samples = sorted((ROOT / "corpora").glob("sample*.txt"))
    sentencepiece.SentencePieceTrainer.train(
        input=",".join(map(str, samples)), model_prefix=str(directory / "tokenizer"), vocab_size=2000, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2)
    return directory, 2000


def make_model(directory, rows, tokenizer, dtype=torch.float32, tied=False, bias=False, **options):
    """A grouped-query model that transformers writes, its biases and norms far from where they start."""
    config = LlamaConfig(
        vocab_size=rows, hidden_size=128, intermediate_size=192, num_hidden_layers=2, num_attention_heads=HEADS,
        num_key_value_heads=GROUPS, max_position_embeddings=256, tie_word_embeddings=tied, attention_bias=bias,
        mlp_bias=bias, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, **options)
    torch.manual_seed(4)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model = model.to(dtype)
    model.save_pretrained(directory)
    shutil.copy(tokenizer / "tokenizer.model", directory)
    return model


def permuted(name, tensor):
    """The rows of queries and keys as llama.cpp wants them: number j of a head beside number j + width / 2."""
    heads = HEADS if ".q_proj." in name else GROUPS if ".k_proj." in name else None
    if heads is None:
        return tensor
    return tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, -1).transpose(1, 2).reshape(tensor.shape)


def expected_bytes(tensor, kind):
    """gguf's own rounding of the same numbers."""
    return quants.quantize(tensor.float().contiguous().numpy(), kind).tobytes()


def content(tensor):
    return numpy.ascontiguousarray(tensor.data).tobytes()


def check_tensors(report, name, program, work, rows, tokenizer, kind, options):
    """Names by gguf's own table, every byte by gguf's own rounding."""
    source, file = work / "source", work / "model.gguf"
    make_model(source, rows, tokenizer, **options)
    kuoci(program, "convert", "--from", source, "--to", file, "--type", kind, "--progress", "none")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    theirs = {names.get_name(key, try_suffixes=(".weight", ".bias")): permuted(key, value)
              for key, value in tensors(source).items()}
    reader = gguf.GGUFReader(file)
    ours = {tensor.name: tensor for tensor in reader.tensors}
    found = differences(sorted(ours), sorted(theirs))
    for key in ours.keys() & theirs.keys():
        if content(ours[key]) != expected_bytes(theirs[key], ours[key].tensor_type):
            found.append((key, ours[key].tensor_type.name, "other bytes"))
        if list(reversed(ours[key].shape)) != list(theirs[key].shape):
            found.append((key, list(ours[key].shape), list(theirs[key].shape)))
    kinds = sorted({tensor.tensor_type.name for tensor in reader.tensors})
    report.equal(name, f"{len(ours)} tensors byte for byte, {' '.join(kinds)}", found)
    return source, file, reader, ours


def check_keys(report, name, reader, source, rows, kind):
    """What llama.cpp needs to know of a model, and the vocabulary as the .model has it."""
    config = json.loads((source / "config.json").read_text())
    expected = {
        "general.architecture": "llama", "general.file_type": FILE_TYPES[kind], "general.name": source.name,
        "llama.context_length": config["max_position_embeddings"], "llama.embedding_length": config["hidden_size"],
        "llama.block_count": config["num_hidden_layers"], "llama.feed_forward_length": config["intermediate_size"],
        "llama.attention.head_count": HEADS, "llama.attention.head_count_kv": GROUPS,
        "llama.attention.layer_norm_rms_epsilon": float(numpy.float32(config["rms_norm_eps"])),
        "llama.rope.dimension_count": config["head_dim"], "llama.vocab_size": rows,
        "llama.rope.freq_base": config["rope_parameters"]["rope_theta"], "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0,
    }
    found = [(key, reader.fields[key].contents() if key in reader.fields else None, value)
             for key, value in expected.items() if key not in reader.fields or reader.fields[key].contents() != value]
    proto = model_pb2.ModelProto()
    proto.ParseFromString((source / "tokenizer.model").read_bytes())
    texts, scores, types = (reader.fields["tokenizer.ggml." + key].contents() for key in ("tokens", "scores", "token_type"))
    found += differences(list(zip(texts, scores, types)), [(p.piece, p.score, p.type) for p in proto.pieces])
    report.equal(name, f"{len(expected)} keys, {len(texts)} entries", found)


def check_back(report, name, program, work, ours, source, file, kind):
    """Our numbers out of the file are gguf's; a model of plain numbers comes back to the bit."""
    out = work / "back"
    kuoci(program, "convert", "--from", file, "--to", out, "--type", "f32", "--progress", "none")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    found = []
    for key, value in tensors(out).items():
        tensor = ours[names.get_name(key, try_suffixes=(".weight", ".bias"))]
        theirs = quants.dequantize(tensor.data, tensor.tensor_type).reshape(value.shape)
        if bits(permuted(key, value)) != numpy.ascontiguousarray(theirs, dtype=numpy.float32).tobytes():
            found.append((key, "", ""))
    if kind == "f32":
        found += [(key, "", "") for key, value in tensors(source).items() if bits(value.float()) != bits(tensors(out)[key])]
    report.equal(name, f"{len(ours)} tensors as gguf dequantizes them", found)


def logits(model, rows):
    ids = torch.randint(3, rows, (2, 24), generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        return model(input_ids=ids).logits


def check_transformers(report, name, program, work, rows, file, back):
    """transformers' own reader of GGUF files computes what it computes from our checkpoint of the same file."""
    theirs = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()
    ours = AutoModelForCausalLM.from_pretrained(back).float().eval()
    gap = (logits(ours, rows) - logits(theirs, rows)).abs().max().item()
    (report.ok if gap == 0 else report.failed)(name, f"largest difference of logits {gap:.1e}")


def check_converter(report, name, program, work, rows, tokenizer, llama_cpp, kind, options):
    """llama.cpp's own converter: the same tensors, and the same values under every key that both write."""
    source, file, theirs_file = work / "source", work / "ours.gguf", work / "theirs.gguf"
    make_model(source, rows, tokenizer, **options)
    kuoci(program, "convert", "--from", source, "--to", file, "--type", kind, "--progress", "none")
    subprocess.run(
        [sys.executable, str(llama_cpp / "convert_hf_to_gguf.py"), str(source), "--outfile", str(theirs_file),
         "--outtype", kind], check=True, capture_output=True)
    ours, theirs = gguf.GGUFReader(file), gguf.GGUFReader(theirs_file)
    found = differences(sorted(t.name for t in ours.tensors), sorted(t.name for t in theirs.tensors))
    by_name = {tensor.name: tensor for tensor in theirs.tensors}
    found += [(t.name, t.tensor_type.name, by_name[t.name].tensor_type.name) for t in ours.tensors
              if t.name in by_name and content(t) != content(by_name[t.name])]
    # The title that it makes of the directory's name, and its sizes in words, are not ours.
    shared = [key for key in theirs.fields if key in ours.fields and key != "general.name" and not key.startswith("GGUF.")]
    found += [(key, ours.fields[key].contents(), theirs.fields[key].contents()) for key in shared
              if ours.fields[key].contents() != theirs.fields[key].contents()]
    lacking = [key for key in theirs.fields if key not in ours.fields]
    report.equal(name, f"{len(by_name)} tensors, {len(shared)} keys; only theirs: {', '.join(lacking) or 'none'}", found)


def check_llama_cpp(report, name, program, work, rows, tokenizer, kind, options):
    """llama.cpp computes the logits that transformers computes of the same file's numbers."""
    from llama_cpp import Llama

    source, file, back = work / "source", work / "model.gguf", work / "back"
    make_model(source, rows, tokenizer, **options)
    kuoci(program, "convert", "--from", source, "--to", file, "--type", kind, "--progress", "none")
    kuoci(program, "convert", "--from", file, "--to", back, "--type", "f32", "--progress", "none")
    llama = Llama(str(file), n_ctx=64, logits_all=True, verbose=False)
    text = "The quick brown fox, 人工智能是计算机科学。"
    ids = llama.tokenize(text.encode(), add_bos=True)
    expected_ids = [1] + sentencepiece.SentencePieceProcessor(model_file=str(source / "tokenizer.model")).encode(text)
    llama.eval(ids)
    ours = torch.tensor(numpy.array(llama.scores[: len(ids)]))
    model = AutoModelForCausalLM.from_pretrained(back).float().eval()
    with torch.no_grad():
        theirs = model(input_ids=torch.tensor([ids])).logits[0]
    gap, size = (ours - theirs).abs().max().item(), theirs.abs().max().item()
    found = differences(ids, expected_ids)
    # llama.cpp keeps keys and values in 16 bits, and rounds activations to 8 where weights are in blocks.
    bound = {"f32": 2e-3, "f16": 2e-3, "q8_0": 3e-2, "q4_0": 3e-2}[kind] * size
    if gap > bound:
        found.append(("logits", gap, bound))
    report.equal(name, f"{len(ids)} ids as sentencepiece's, logits of up to {size:.2f} within {gap:.1e}", found)


def check_padded(report, name, program, work, rows, tokenizer):
    """Rows that the tokenizer lacks become unused entries, and an added token one of its own."""
    source, file = work / "source", work / "model.gguf"
    make_model(source, rows + 6, tokenizer)
    (source / "added_tokens.json").write_text(json.dumps({"<pad>": rows}))
    kuoci(program, "convert", "--from", source, "--to", file, "--progress", "none")
    reader = gguf.GGUFReader(file)
    texts, scores, types = (reader.fields["tokenizer.ggml." + key].contents() for key in ("tokens", "scores", "token_type"))
    expected = [("<pad>", -1000.0, 4)] + [(f"[PAD{id}]", -10000.0, 5) for id in range(rows + 1, rows + 6)]
    report.equal(name, f"{len(texts)} entries", differences(list(zip(texts, scores, types))[rows:], expected))


def check_bounds(report, name, program, work, rows, tokenizer):
    """transformers puts around a text what the file asks for, and nothing else."""
    source, file = work / "source", work / "model.gguf"
    make_model(source, rows, tokenizer)
    text = "The quick brown fox, 人工智能。"
    ids = sentencepiece.SentencePieceProcessor(model_file=str(source / "tokenizer.model")).encode(text)
    found = []
    for begin, end in itertools.product((True, False), repeat=2):
        settings = {"add_bos_token": begin, "add_eos_token": end}
        (source / "tokenizer_config.json").write_text(json.dumps(settings))
        back = work / f"back-{begin}-{end}"
        kuoci(program, "convert", "--from", source, "--to", file, "--progress", "none", "--force")
        kuoci(program, "convert", "--from", file, "--to", back, "--progress", "none")
        expected = [1] * begin + ids + [2] * end
        found += differences(AutoTokenizer.from_pretrained(back)(text)["input_ids"], expected)
    report.equal(name, f"4 ways around {len(ids)} ids", found)


def check_one(report, program, tokenizer, rows, kind, label, options):
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        prefix = f"{kind} of {label}"
        source, file, reader, ours = check_tensors(report, f"{prefix}: tensors", program, work, rows, tokenizer, kind, options)
        check_keys(report, f"{prefix}: keys", reader, source, rows, kind)
        check_back(report, f"{prefix}: back", program, work, ours, source, file, kind)
        if not options.get("bias"):
            # transformers reads no biases out of GGUF files of this family.
            check_transformers(report, f"{prefix}: transformers", program, work, rows, file, work / "back")


def in_directory(check):
    def body(report, name, program, *parameters):
        with tempfile.TemporaryDirectory() as work:
            check(report, name, program, pathlib.Path(work), *parameters)
    return body


VARIANTS = (
    ("float32", {}), ("bfloat16", {"dtype": torch.bfloat16}), ("float16", {"dtype": torch.float16}),
    ("a tied model", {"tied": True}), ("a model with biases", {"bias": True}),
)


def main():
    llama_cpp = None
    if "--llama-cpp" in sys.argv:
        place = sys.argv.index("--llama-cpp")
        llama_cpp = pathlib.Path(sys.argv[place + 1]).resolve()
        del sys.argv[place:place + 2]
    options = arguments(__doc__)
    report = Report(options.only)
    program = options.kuoci
    with tempfile.TemporaryDirectory() as directory:
        tokenizer, rows = make_tokenizer(pathlib.Path(directory))
        for label, variant in VARIANTS:
            for kind in TYPES:
                # Each check of one model has a line of its own; what one throws is a failure of this model's.
                name = f"{kind} of {label}"
                report.run(name, lambda report, name: check_one(report, program, tokenizer, rows, kind, label, variant))
        report.run("padded vocabulary", in_directory(check_padded), program, rows, tokenizer)
        report.run("begin and end of a text", in_directory(check_bounds), program, rows, tokenizer)
        for label, variant in VARIANTS:
            for kind in ("f32", "f16", "bf16", "q8_0"):
                name = f"{kind} of {label} by llama.cpp's converter"
                if llama_cpp is None:
                    report.skipped(name, "no --llama-cpp")
                else:
                    report.run(name, in_directory(check_converter), program, rows, tokenizer, llama_cpp, kind, variant)
        for kind in ("f32", "f16", "q8_0", "q4_0"):
            name = f"{kind} in llama.cpp"
            if importlib.util.find_spec("llama_cpp") is None:
                report.skipped(name, "no llama_cpp")
            else:
                report.run(name, in_directory(check_llama_cpp), program, rows, tokenizer, kind, {})
    report.end()


if __name__ == "__main__":
    main()
