"""Checkpoints beside safetensors, transformers and PEFT: init, resize, export."""

import json
import pathlib
import shutil
import subprocess
import tempfile

import numpy
import sentencepiece
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from transformers import (
    AutoModelForCausalLM, GPTNeoXConfig, LlamaConfig, LlamaForCausalLM, MistralConfig, Qwen2Config)

from harness import ROOT, Report, arguments, differences, kuoci

NEW_PIECES = ["人工智能", "计算机科学", "▁人工", "心理学", "▁tokenization", "哲学家们", "龘龘"]
RESIZED = ("model.embed_tokens.weight", "lm_head.weight")


# Models and tokenizers


def make_tokenizers(directory):
    """A small BPE tokenizer with byte fallback and the same one with pieces appended, each in a directory."""
    old, new = directory / "old", directory / "new"
    old.mkdir()
    new.mkdir()
    samples = sorted((ROOT / "corpora").glob("sample*.txt"))
    sentencepiece.SentencePieceTrainer.train(
        input=",".join(map(str, samples)), model_prefix=str(old / "tokenizer"), vocab_size=2000, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", minloglevel=2)
    (old / "tokenizer.vocab").unlink()
    model = model_pb2.ModelProto()
    model.ParseFromString((old / "tokenizer.model").read_bytes())
    known = {piece.piece for piece in model.pieces}
    for text in NEW_PIECES:
        if text not in known:
            model.pieces.add(piece=text, score=0.0)
    (new / "tokenizer.model").write_bytes(model.SerializeToString())
    return old, new, len(known), len(model.pieces)


def make_model(directory, rows, tokenizer=None, dtype=torch.float32, shard="1GB", **options):
    """A model that transformers itself writes."""
    config = LlamaConfig(
        vocab_size=rows, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, **options)
    torch.manual_seed(3)
    model = LlamaForCausalLM(config).to(dtype)
    model.save_pretrained(directory, max_shard_size=shard)
    if tokenizer is not None:
        shutil.copy(tokenizer / "tokenizer.model", directory)
    return model


def shards(directory):
    return sorted(pathlib.Path(directory).glob("*.safetensors"))


def tensors(directory):
    return {name: tensor for shard in shards(directory) for name, tensor in load_file(shard).items()}


def bits(tensor):
    return tensor.contiguous().view(torch.uint8).numpy().tobytes()


def open_in_transformers(directory):
    """The model and the keys that did not fit."""
    model, notes = AutoModelForCausalLM.from_pretrained(directory, output_loading_info=True)
    problems = {key: sorted(map(str, value)) for key, value in notes.items() if value}
    return model.eval(), problems


def logits(model, rows):
    generator = torch.Generator().manual_seed(9)
    ids = torch.randint(0, rows, (2, 24), generator=generator)
    with torch.no_grad():
        return model(input_ids=ids).logits.double()


def check_opens(report, name, directory):
    model, problems = open_in_transformers(directory)
    if problems:
        report.failed(name, f"transformers: {problems}")
    else:
        report.ok(name, f"{len(tensors(directory))} tensors, no missing or unexpected key")
    return model


def check_bytes(report, name, directory):
    """Each of our files is what safetensors writes for the same tensors."""
    with tempfile.TemporaryDirectory() as work:
        unequal = []
        for shard in shards(directory):
            copy = pathlib.Path(work) / shard.name
            save_file(load_file(shard), copy, metadata={"format": "pt"})
            if copy.read_bytes() != shard.read_bytes():
                unequal.append((shard.name, "", ""))
    report.equal(name, f"{len(shards(directory))} files byte for byte", unequal)


# Checks


def check_init(report, name, program, work, tokenizer, rows):
    out = work / "init"
    kuoci(program, "init", "--preset", "nano", "--tokenizer", tokenizer, "--out", out, "--seed", "1", "--progress", "none")
    model = check_opens(report, f"{name}: opens", out)
    check_bytes(report, f"{name}: file", out)
    theirs = work / "theirs"
    make_model(theirs, rows)
    ours_keys = set(json.loads((out / "config.json").read_text()))
    their_keys = set(json.loads((theirs / "config.json").read_text())) - {"transformers_version"}
    report.equal(f"{name}: config keys", len(their_keys), differences(sorted(ours_keys), sorted(their_keys)))
    matrices = [p for p in model.parameters() if p.dim() == 2]
    worst = max(abs(p.std().item() / 0.02 - 1) for p in matrices)
    ones = all((p == 1).all() for p in model.parameters() if p.dim() == 1)
    text = f"{len(matrices)} matrices, deviation within {worst:.4f} of 0.02, norms 1"
    (report.ok if worst < 0.05 and ones else report.failed)(f"{name}: numbers", text)
    again = work / "again"
    kuoci(program, "init", "--preset", "nano", "--tokenizer", tokenizer, "--out", again, "--seed", "1", "--progress", "none")
    same = (out / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
    (report.ok if same else report.failed)(f"{name}: same seed", "same bytes")


def expected_rows(key, matrix, method, old_tokenizer, pieces):
    """The new rows in double precision: the mean of all rows, or of (some of) those of the piece's old pieces."""
    matrix = matrix.double()
    if method == "zero":
        return torch.zeros(len(pieces), matrix.shape[1], dtype=torch.double)
    if method == "mean":
        return matrix.mean(dim=0).expand(len(pieces), -1)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(old_tokenizer / "tokenizer.model"))
    rows = []
    for piece in pieces:
        # The text as it stands: ▁ begins a word; elsewhere a line end keeps the dummy space away from the text.
        starts_word = piece.startswith("▁")
        ids = processor.encode(piece[1:] if starts_word else "\n" + piece)
        if not starts_word:
            ids = ids[ids.index(processor.piece_to_id("<0x0A>")) + 1:]
        if method == "subword-first-last":
            ids = ids[:1] if key == "lm_head.weight" else ids[-1:]
        rows.append(matrix[ids].mean(dim=0))
    return torch.stack(rows)


def check_draws(report, name, ours, before):
    """Too few rows for moments: no draw is far out, and none is another's."""
    wrong = []
    for key in set(RESIZED) & set(ours):
        old, new = ours[key][:before].double(), ours[key][before:].double()
        distances = ((new - old.mean(dim=0)) / old.std(dim=0)).flatten()
        if not 0.8 < distances.std().item() < 1.2 or distances.abs().max().item() > 6 or len(new.unique(dim=0)) != len(new):
            wrong.append((key, distances.std().item(), "about 1"))
    report.equal(f"{name}: draws", "deviations of about 1", wrong)


def check_covariance(report, name, program, work, pair):
    """The moments of many draws, and, with transformers' spread, its mean_resizing."""
    old, _, before, _ = pair
    source, larger, out = work / "source", work / "larger", work / "out"
    added = 20_000
    make_model(source, before, old)
    larger.mkdir()
    model = model_pb2.ModelProto()
    model.ParseFromString((old / "tokenizer.model").read_bytes())
    for number in range(added):
        model.pieces.add(piece=f"[PAD{number}]", type=5)
    (larger / "tokenizer.model").write_bytes(model.SerializeToString())
    for key in RESIZED:
        path = source / "model.safetensors"
        weights = load_file(path)
        # Columns that go together.
        weights[key][:, 1:] += 0.7 * weights[key][:, :-1].clone()
        save_file(weights, path, metadata={"format": "pt"})
    kuoci(program, "resize", "--model", source, "--tokenizer", larger, "--out", out, "--init", "covariance", "--progress", "none")
    wrong, worst = [], 0.0
    for key in RESIZED:
        matrix = tensors(out)[key].double().numpy()
        rows, draws = matrix[:before], matrix[before:]
        covariance = numpy.cov(rows, rowvar=False, bias=True)
        scale = numpy.sqrt(numpy.outer(covariance.diagonal(), covariance.diagonal()))
        # In units of the standard error of each number of the matrix.
        errors = numpy.sqrt((scale**2 + covariance**2) / added)
        far = numpy.abs(numpy.cov(draws, rowvar=False, bias=True) - covariance) / errors
        shift = numpy.abs(draws.mean(axis=0) - rows.mean(axis=0)) / numpy.sqrt(covariance.diagonal() / added)
        worst = max(worst, far.max(), shift.max())
        if worst > 6:
            wrong.append((key, worst, "at most 6"))
    report.equal(f"{name}: moments", f"{added} draws of {len(RESIZED)} matrices: all within {worst:.1f} standard errors of numpy's", wrong)
    theirs = AutoModelForCausalLM.from_pretrained(source)
    theirs.resize_token_embeddings(before + added, mean_resizing=True)
    kuoci(program, "resize", "--model", source, "--tokenizer", larger, "--out", out, "--init", "covariance",
          "--init-spread", "3.1623e-5", "--force", "--progress", "none")
    wrong, farthest = [], 0.0
    for key, matrix in zip(RESIZED, (theirs.get_input_embeddings().weight, theirs.get_output_embeddings().weight)):
        ours, mean = tensors(out)[key][before:].double(), matrix[:before].double().mean(dim=0)
        deviation = matrix[:before].double().std(dim=0)
        # Both are the mean but for 3.2e-5 of a deviation (transformers: none at all where its test of the matrix fails).
        distance = max(((rows - mean) / deviation).abs().max().item() for rows in (ours, matrix[before:].detach().double()))
        farthest = max(farthest, distance)
        if distance > 6 * 3.2e-5:
            wrong.append((key, distance, "at most 1.9e-4"))
    report.equal(f"{name}: mean_resizing", f"ours and transformers' are the mean within {farthest:.1e} deviations", wrong)


def check_resize(report, name, program, work, pair, method, dtype, tied, shard):
    old, new, before, after = pair
    source, out = work / "source", work / "out"
    make_model(source, before, old, dtype, shard, tie_word_embeddings=tied)
    kuoci(program, "resize", "--model", source, "--tokenizer", new, "--out", out, "--init", method, "--seed", "5",
          "--progress", "none")
    ours, theirs = tensors(out), tensors(source)
    changed = [(key, "", "") for key in theirs if not bits(ours[key]).startswith(bits(theirs[key]))]
    changed += differences(sorted(ours), sorted(theirs))
    changed += [(key, list(ours[key].shape), "") for key in theirs
                if len(ours[key]) != (after if key in RESIZED else len(theirs[key]))]
    report.equal(f"{name}: old bits", f"{len(theirs)} tensors", changed)
    check_opens(report, f"{name}: opens", out)
    check_bytes(report, f"{name}: files", out)
    configs = [json.loads((path / "config.json").read_text()) for path in (out, source)]
    keys_kept = list(configs[0]) == list(configs[1]) and {**configs[1], "vocab_size": after} == configs[0]
    (report.ok if keys_kept else report.failed)(f"{name}: config", f"{len(configs[0])} keys, vocab_size {after}")
    if method in ("normal", "covariance"):
        check_draws(report, name, ours, before)
    else:
        pieces = [sentencepiece.SentencePieceProcessor(model_file=str(new / "tokenizer.model")).id_to_piece(i)
                  for i in range(before, after)]
        unequal = []
        for key in set(RESIZED) & set(theirs):
            expected = expected_rows(key, theirs[key], method, old, pieces).float().to(dtype)
            unequal += [(f"{key}[{row}]", "", "") for row in range(before, after)
                        if not torch.allclose(ours[key][row].double(), expected[row - before].double(), rtol=1e-6, atol=1e-9)]
        report.equal(f"{name}: new rows", f"{(after - before)} rows", unequal)
    index = out / "model.safetensors.index.json"
    if index.exists():
        theirs_index = json.loads((source / index.name).read_text())
        size = sum(t.numel() * t.element_size() for t in ours.values())
        count = sum(t.numel() for t in ours.values())
        expected = {"metadata": {"total_parameters": count, "total_size": size}, "weight_map": theirs_index["weight_map"]}
        same = index.read_text() == json.dumps(expected, indent=2, sort_keys=True) + "\n"
        (report.ok if same else report.failed)(f"{name}: index", f"{len(expected['weight_map'])} entries as transformers spells them")


def check_dealt_out(report, name, program, work, pair, tied, shard):
    """Padded and dealt out anew: each file and the index as transformers writes them for the same tensors."""
    old, new, before, after = pair
    source, out, theirs = work / "source", work / "out", work / "theirs"
    make_model(source, before, old, torch.bfloat16, "1GB", tie_word_embeddings=tied)
    kuoci(program, "resize", "--model", source, "--tokenizer", new, "--out", out, "--pad-to-multiple", "64",
          "--max-shard-size", shard, "--progress", "none")
    model = AutoModelForCausalLM.from_pretrained(source, dtype="auto")
    model.resize_token_embeddings(after, pad_to_multiple_of=64, mean_resizing=False)
    ours = tensors(out)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key in RESIZED:
                parameter[before:] = ours[key][before:]
    model.save_pretrained(theirs, max_shard_size=shard)
    names = [sorted(path.name for path in directory.glob("model*")) for directory in (out, theirs)]
    unequal = differences(*names)
    unequal += [(each, "", "") for each in names[1] if (out / each).exists()
                and (out / each).read_bytes() != (theirs / each).read_bytes()]
    report.equal(f"{name}: files", f"{len(names[1])} files byte for byte", unequal)
    rows = [json.loads((directory / "config.json").read_text())["vocab_size"] for directory in (out, theirs)]
    (report.ok if rows[0] == rows[1] else report.failed)(f"{name}: vocab_size", str(rows))
    first = [program, "verify", source, out, "--progress", "none", "--first-rows"]
    codes = [subprocess.run([*map(str, first), str(rows)], capture_output=True).returncode for rows in (before, before + 1)]
    codes.append(subprocess.run([*map(str, first[:-1])], capture_output=True).returncode)
    (report.ok if codes == [0, 65, 2] else report.failed)(
        f"{name}: verify", f"exit codes {codes} with {before} rows, one more than there are, and all")


def check_map(report, name, program, work, pair, tied):
    """Rows move by an id map: every third of the added pieces goes, and two that were not there come."""
    old, new, before, after = pair
    source, out, pruned = work / "source", work / "out", work / "pruned"
    model = model_pb2.ModelProto()
    model.ParseFromString((new / "tokenizer.model").read_bytes())
    kept = [i for i in range(after) if i < before or i % 3]
    pieces = [model.pieces[i] for i in kept]
    smaller = model_pb2.ModelProto()
    smaller.CopyFrom(model)
    del smaller.pieces[:]
    smaller.pieces.extend(pieces)
    for text in ("龘新", "来龘"):
        smaller.pieces.add(piece=text, score=0.0)
    pruned.mkdir()
    (pruned / "tokenizer.model").write_bytes(smaller.SerializeToString())
    count = len(smaller.pieces)
    places = {i: place for place, i in enumerate(kept)}
    id_map = work / "id-map.json"
    id_map.write_text(json.dumps(
        {"old_entries": after, "new_entries": count, "new_ids": [places.get(i) for i in range(after)]}))
    make_model(source, after, new, torch.float32, "60KB", tie_word_embeddings=tied, pad_token_id=kept[-1])
    kuoci(program, "resize", "--model", source, "--tokenizer", pruned, "--out", out, "--id-map", id_map, "--progress", "none")
    check_opens(report, f"{name}: opens", out)
    ours, theirs = tensors(out), tensors(source)
    wrong = [(key, list(ours[key].shape), "") for key in theirs if len(ours[key]) != (count if key in RESIZED else len(theirs[key]))]
    wrong += [(key, "", "") for key in theirs
              if bits(ours[key][:len(kept)] if key in RESIZED else ours[key])
              != bits(theirs[key][kept] if key in RESIZED else theirs[key])]
    config = json.loads((out / "config.json").read_text())
    wrong += differences([config["vocab_size"], config["pad_token_id"]], [count, len(kept) - 1])
    report.equal(f"{name}: rows", f"{len(kept)} of {after} rows moved, 2 new", wrong)
    command = [str(each) for each in (program, "verify", source, out, "--progress", "none")]
    codes = [subprocess.run(command + more, capture_output=True).returncode for more in (["--id-map", str(id_map)], [])]
    (report.ok if codes == [0, 2] else report.failed)(f"{name}: verify", f"exit codes {codes} with the map and without")


def check_family(report, name, program, work, pair, config):
    """Models of the family are resized and open; others are refused by name."""
    old, new, before, after = pair
    source, out = work / "source", work / "out"
    torch.manual_seed(3)
    AutoModelForCausalLM.from_config(config(before)).save_pretrained(source, max_shard_size="60KB")
    shutil.copy(old / "tokenizer.model", source)
    result = subprocess.run(
        [program, "resize", "--model", source, "--tokenizer", new, "--out", out, "--progress", "none"], capture_output=True)
    family = config(before).model_type
    if family in ("llama", "mistral"):
        check_opens(report, name, out)
        return
    message = result.stderr.decode()
    refused = result.returncode == 65 and f'"{family}"' in message and message.count("\n") == 1 and not out.exists()
    (report.ok if refused else report.failed)(name, message.strip().replace(str(work), ""))


def families():
    sizes = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128)
    grouped = dict(sizes, num_key_value_heads=2)
    return {
        "LLaMA 1": lambda rows: LlamaConfig(vocab_size=rows, rms_norm_eps=1e-6, pad_token_id=-1, **sizes),
        "LLaMA 2": lambda rows: LlamaConfig(vocab_size=rows, rms_norm_eps=1e-5, pretraining_tp=2, **sizes),
        "TinyLlama": lambda rows: LlamaConfig(vocab_size=rows, **grouped),
        "attention bias, tied": lambda rows: LlamaConfig(vocab_size=rows, attention_bias=True, tie_word_embeddings=True, **grouped),
        "Mistral": lambda rows: MistralConfig(vocab_size=rows, sliding_window=32, **grouped),
        "Qwen2 is refused": lambda rows: Qwen2Config(vocab_size=rows, **grouped),
        "GPT-NeoX is refused": lambda rows: GPTNeoXConfig(vocab_size=rows, **sizes),
    }


def make_adapter(base, directory, saved, tied):
    """An adapter that PEFT writes, its weights far from their start."""
    model = AutoModelForCausalLM.from_pretrained(base)
    modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    peft = get_peft_model(model, LoraConfig(
        r=8, lora_alpha=32, lora_dropout=0.05, target_modules=modules, modules_to_save=saved, task_type="CAUSAL_LM"))
    torch.manual_seed(8)
    with torch.no_grad():
        for parameter in peft.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.02)
    peft.save_pretrained(directory)


def check_export(report, name, program, work, rows, dtype, tied, saved):
    base, adapter, out = work / "base", work / "adapter", work / "out"
    make_model(base, rows, None, dtype, "100KB", tie_word_embeddings=tied)
    make_adapter(base, adapter, saved, tied)
    kuoci(program, "export", "--model", base, "--adapter", adapter, "--out", out, "--progress", "none")
    ours = check_opens(report, f"{name}: opens", out)
    check_bytes(report, f"{name}: files", out)
    peft = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).merge_and_unload().eval()
    theirs = {key: value.to(dtype) for key, value in peft.state_dict().items()}
    worst, unequal, total, far = 0.0, 0, 0, []
    for key, value in ours.state_dict().items():
        difference = (value.double() - theirs[key].double()).abs().max().item()
        worst = max(worst, difference)
        unequal += (value != theirs[key]).sum().item()
        total += value.numel()
        # Folded sums may differ in the last places of float32, or by one rounding to bfloat16.
        if difference > (1e-7 if dtype == torch.float32 else 0.01) * max(1.0, theirs[key].abs().max().item()):
            far.append((key, difference, ""))
    report.equal(f"{name}: weights", f"{unequal} of {total} numbers differ from merge_and_unload, by at most {worst:.1e}", far)
    # Both in float32, so that only the weights can part them; `to` would round the rotary frequencies too.
    for parameter in peft.parameters():
        parameter.data = parameter.data.to(dtype).float()
    gap = (logits(ours.float(), rows) - logits(peft, rows)).abs().max().item()
    (report.ok if gap <= 1e-5 else report.failed)(f"{name}: logits", f"largest difference {gap:.1e}")


# Unsound files


def in_directory(check):
    def body(report, name, *parameters):
        with tempfile.TemporaryDirectory() as work:
            check(report, name, *parameters[:1], pathlib.Path(work), *parameters[1:])
    return body


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    program = options.kuoci
    with tempfile.TemporaryDirectory() as directory:
        pair = make_tokenizers(pathlib.Path(directory))
        report.run("init", in_directory(check_init), program, pair[0], pair[2])
        for method, dtype, tied, shard in [
            ("mean", torch.float32, False, "1GB"), ("mean", torch.bfloat16, True, "60KB"),
            ("subword-mean", torch.float32, True, "1GB"), ("subword-mean", torch.bfloat16, False, "60KB"),
            ("subword-mean", torch.float16, False, "1GB"), ("normal", torch.float32, False, "60KB"),
            ("zero", torch.float32, False, "1GB"), ("covariance", torch.float32, True, "60KB"),
            ("subword-first-last", torch.bfloat16, False, "1GB"),
        ]:
            name = f"resize {method} {str(dtype)[6:]}{' tied' if tied else ''}{' shards' if shard != '1GB' else ''}"
            report.run(name, in_directory(check_resize), program, pair, method, dtype, tied, shard)
        report.run("resize covariance draws", in_directory(check_covariance), program, pair)
        for tied in (False, True):
            for shard in ("60KB", "200KB", "5GB"):
                name = f"resize padded, {shard}{' tied' if tied else ''}"
                report.run(name, in_directory(check_dealt_out), program, pair, tied, shard)
            report.run(f"resize by an id map{' tied' if tied else ''}", in_directory(check_map), program, pair, tied)
        for name, config in families().items():
            report.run(f"resize {name}", in_directory(check_family), program, pair, config)
        both = ["embed_tokens", "lm_head"]
        for dtype, tied, saved in [
            (torch.float32, False, both), (torch.float32, False, None), (torch.bfloat16, False, both),
            (torch.float32, True, both), (torch.float32, True, None),
        ]:
            name = f"export {str(dtype)[6:]}{' tied' if tied else ''}{' with embeddings' if saved else ''}"
            report.run(name, in_directory(check_export), program, 300, dtype, tied, saved)
    report.end()


if __name__ == "__main__":
    main()
