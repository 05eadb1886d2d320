"""Unsound checkpoints, adapters and GGUF files, one of each kind that is known: refused in one sentence, in little time and memory."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

from checkpoints import in_directory, make_model, make_tokenizers
from harness import Report, arguments
from mutations import takes
from unsound_gguf import file, unsound_gguf

# A machine that others use as well has taken 2.3 s of processor time for what takes 1.5 s here: the border is where only
# work that grows faster than the file comes to, and what was taken is printed.
SECONDS = 10
MEGABYTES = 256


# Files that are known


def header(text, data=b"", length=None):
    text = text.encode("utf-8") if isinstance(text, str) else text
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="U8", shape="[4]", offsets="[0,4]"):
    return f'{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}'


def many_tensors(count, step=1):
    entries = (f'"t{i}":{{"dtype":"U8","shape":[1],"data_offsets":[{i},{i + 1}]}}' for i in range(count)[::step])
    return header("{" + ",".join(entries) + "}", bytes(count))


def unsound_safetensors(sound):
    one = header(f'{{"t":{entry()}}}', bytes(4))
    name = "n" * 65536
    return {
        "empty": b"", "seven bytes": b"1234567", "N 2^63": header("{}", length=1 << 63),
        "N of all ones": header("{}", length=(1 << 64) - 1),
        "N over limit": header("{}", length=100_000_001), "N over file": header("{}", length=1000),
        "not UTF-8": header(b"{\xff}"), "not JSON": header("{nonsense"), "JSON array": header("[]"),
        "nested metadata": header('{"__metadata__":{"a":{"b":"c"}}}'),
        "overlap": header(f'{{"a":{entry()},"b":{entry(offsets="[2,6]")}}}', bytes(6)),
        "hole": header(f'{{"a":{entry()},"b":{entry(offsets="[5,9]")}}}', bytes(9)),
        "begin after end": header(f'{{"t":{entry(offsets="[4,0]")}}}', bytes(4)),
        "negative": header(f'{{"t":{entry(offsets="[-1,3]")}}}', bytes(4)),
        "float offsets": header(f'{{"t":{entry(offsets="[0.0,4.0]")}}}', bytes(4)),
        "2^64 product": header(f'{{"t":{entry(shape="[4294967296,4294967296]")}}}', bytes(4)),
        "size mismatch": header(f'{{"t":{entry(shape="[5]")}}}', bytes(4)),
        "unknown dtype": header(f'{{"t":{entry(dtype="X8")}}}', bytes(4)),
        "one byte short": one[:-1], "one byte extra": one + b"\0", "cut in half": sound[: len(sound) // 2],
        "HTML": b"<!DOCTYPE html><html></html>", "LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid 1\n",
        "pickle": b"PK\x03\x04" + bytes(60), "deep nesting": header('{"t":' + "[" * 100_000),
        "name of 64 KB": header(f'{{"{name}":{entry(shape="[5]")}}}', bytes(4)),
        "name with NUL": header(f'{{"a\\u0000b":{entry(shape="[5]")}}}', bytes(4)),
        "name that leads out": header(f'{{"../../x":{entry(shape="[5]")}}}', bytes(4)),
        "a header of 90 MB of brackets": header('{"t":' + "[" * 90_000_000),
        "a header of 90 MB of spaces": header(" " * 90_000_000),
        "a header of one string of 90 MB": header('{"' + "n" * 90_000_000),
        "a million tensors, one byte short": many_tensors(1_000_000)[:-1],
        "a million tensors from the last to the first": many_tensors(1_000_000, -1)[:-1],
        "a name of 95 MB": header(f'{{"{"n" * 95_000_000}":{entry(shape="[5]")}}}', bytes(4)),
        "a name of 95 MB of Chinese": header(f'{{"{"名" * 31_000_000}":{entry(shape="[5]")}}}', bytes(4)),
        "48 million escapes": header('{"' + "\\n" * 48_000_000 + f'":{entry(shape="[5]")}}}', bytes(4)),
        "a number of 95 MB": header('{"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":' + "9" * 95_000_000 + "}}"),
        "a shape of 49 million dimensions": header(f'{{"t":{entry(shape="[" + "1," * 49_000_000 + "5]")}}}', bytes(4)),
        "a shape of ten million dimensions": header(f'{{"t":{entry(shape="[" + "1," * 10_000_000 + "5]")}}}', bytes(4)),
    }


# What the reference reader takes, and is no model for us all the same.
SOUND_BUT_UNFIT = {
    "zero tensors": header("{}"), "a million tensors": None,
    "odd names": header(f'{{"a\\u0000b":{entry()},"../x":{entry(offsets="[4,8]")},"{"n" * 65536}":{entry(offsets="[8,12]")}}}', bytes(12)),
}


def unsound_index(shards):
    first = shards[0]
    def index(**map):
        return json.dumps({"metadata": {}, "weight_map": map})
    return {
        "empty": "", "HTML": "<html></html>", "array": "[]", "no map": "{}", "empty map": index(), "deep": "[" * 100_000,
        "shard missing": index(a="model-00009-of-00009.safetensors"), "tensor absent": index(nothing=first),
        "tensors not listed": index(**{"model.norm.weight": first}), "number for a file": '{"weight_map":{"a":1}}',
        "leads out": index(a="../x.safetensors"), "absolute": index(a="/etc/passwd"), "parent": index(a=".."),
        "NUL": index(a="x\0y"), "directory": index(a="sub"), "link in a loop": index(a="loop.safetensors"),
        "FIFO": index(a="fifo.safetensors"), "key twice": '{"weight_map":{"a":"x","a":"y"}}',
        "not UTF-8": b'{"weight_map":{"\xff":"x"}}', "LFS pointer": "version https://git-lfs.github.com/spec/v1\noid 1\n",
        "a million shards": json.dumps({"weight_map": {f"t{i}": f"model-{i}.safetensors" for i in range(1_000_000)}}),
        "a million names": json.dumps({"weight_map": {f"t{i}": first for i in range(1_000_000)}}),
    }


def unsound_config(config):
    def changed(**keys):
        return json.dumps({**config, **keys})
    without = {key: value for key, value in config.items() if key != "vocab_size"}
    return {
        "empty": "", "HTML": "<html></html>", "array": "[]", "cut": json.dumps(config)[:-1], "no vocab_size": json.dumps(without),
        "vocab_size a string": changed(vocab_size="2000"), "vocab_size 0": changed(vocab_size=0), "negative": changed(vocab_size=-1),
        "vocab_size a fraction": changed(vocab_size=1.5), "vocab_size not the rows": changed(vocab_size=config["vocab_size"] + 1),
        "vocab_size 2^63": changed(vocab_size=1 << 63), "vocab_size 2^64": changed(vocab_size=1 << 64),
        "vocab_size null": changed(vocab_size=None), "tie flag a string": changed(tie_word_embeddings="yes"),
        "tied, and two heads": changed(tie_word_embeddings=True), "key twice": '{"vocab_size":1,"vocab_size":1}',
        "deep": '{"a":' + "[" * 100_000, "not UTF-8": b'{"vocab_size":"\xff"}', "NaN": '{"vocab_size":NaN}',
        "30 million numbers": '{"a":[' + "0," * 30_000_000 + "0]}",
        "LFS pointer": "version https://git-lfs.github.com/spec/v1\noid 1\n",
    }


def unfit_layout(config):
    """Configs that no model can be made of: for `init`."""
    def changed(**keys):
        return json.dumps({**config, **keys})
    return {
        "heads that do not divide": changed(num_attention_heads=7, head_dim=None), "other family": changed(model_type="gpt2"),
        "no hidden_size": json.dumps({key: value for key, value in config.items() if key != "hidden_size"}),
        "key-value heads that do not divide": changed(num_key_value_heads=3), "odd head_dim": changed(head_dim=3),
        "hidden_size 2^40": changed(hidden_size=1 << 40), "head_dim 2^40": changed(head_dim=1 << 40),
        "2^24 layers": changed(num_hidden_layers=1 << 24), "all at 2^24": changed(
            hidden_size=1 << 24, intermediate_size=1 << 24, num_attention_heads=1 << 24, num_key_value_heads=1 << 24, head_dim=1 << 16),
        "negative layers": changed(num_hidden_layers=-1), "half a head": changed(num_attention_heads=0.5),
        "dtype of its own": changed(dtype="float4"), "bias a number": changed(attention_bias=2),
        "initializer_range a string": changed(initializer_range="wide"),
        "initializer_range 1e300": changed(initializer_range=1e300), "negative initializer_range": changed(initializer_range=-0.02),
    }


LORA = "base_model.model.model.layers.0.self_attn.q_proj.lora_"


def adapter(config=None, a=None, b=None, extra="", data=None):
    """An adapter of rank 2 for the query matrix [64, 64] of layer 0: (adapter_config.json, adapter_model.safetensors)."""
    a = a or entry("F32", "[2,64]", "[0,512]")
    b = b or entry("F32", "[64,2]", "[512,1024]")
    weights = header(f'{{"{LORA}A.weight":{a},"{LORA}B.weight":{b}{extra}}}', bytes(1024) if data is None else data)
    return {"peft_type": "LORA", "r": 2, "target_modules": ["q_proj"], "layers_to_transform": [0], **(config or {})}, weights


def unsound_adapters():
    sound = adapter()
    nan = struct.pack("<f", float("nan")) * 256
    cases = {f"config {key} {value!r}": adapter({key: value}) for key, value in [
        ("peft_type", "IA3"), ("peft_type", None), ("r", 0), ("r", -1), ("r", 1 << 63), ("r", 1.5), ("r", 3), ("r", "2"),
        ("lora_alpha", "x"), ("use_dora", True), ("fan_in_fan_out", True), ("bias", "all"), ("rank_pattern", {"q_proj": 3}),
        ("alpha_pattern", {"q_proj": 3}), ("lora_bias", True), ("use_dora", "true"), ("rank_pattern", [1]), ("use_rslora", "yes"),
        ("bias", True), ("target_modules", 1), ("modules_to_save", [1]), ("layers_to_transform", "0"), ("lora_dropout", "x"),
        ("use_bdlora", {"nblocks": 2}), ("alora_invocation_tokens", [1]), ("layer_replication", [[0, 2], [0, 2]]),
        ("target_parameters", ["a"]), ("trainable_token_indices", [1]), ("kasa_config", {"beta": 1}), ("use_of_tomorrow", True),
        *[("init_lora_weights", start) for start in ("pissa", "pissa_niter_16", "olora", "corda", "lora_ga", "loftq", 1)]]}
    cases |= {f"config {name}": (text, sound[1]) for name, text in {
        "empty": "", "HTML": "<html></html>", "array": "[]", "cut": '{"peft_type":', "deep": "[" * 100_000,
        "alpha of 1e999": '{"peft_type":"LORA","r":2,"lora_alpha":1e999}',
        "of 30 million numbers": '{"peft_type":"LORA","a":[' + "0," * 30_000_000 + "0]}",
        "LFS pointer": "version https://git-lfs.github.com/spec/v1\n", "not UTF-8": b'{"peft_type":"\xff"}'}.items()}
    cases |= {
        "weights empty": (sound[0], b""), "weights cut": (sound[0], sound[1][:-1]), "weights a pickle": (sound[0], b"PK\x03\x04" + bytes(60)),
        "weights absent": (sound[0], None),
        "no B": (sound[0], header(f'{{"{LORA}A.weight":{entry("F32", "[2,64]", "[0,512]")}}}', bytes(512))),
        "no A": (sound[0], header(f'{{"{LORA}B.weight":{entry("F32", "[64,2]", "[0,512]")}}}', bytes(512))),
        "factors of three dimensions": adapter(a=entry("F32", "[2,64,1]", "[0,512]")), "a vector": adapter(a=entry("F32", "[128]", "[0,512]")),
        "factors for another matrix": adapter(a=entry("F32", "[2,32]", "[0,256]"), b=entry("F32", "[64,2]", "[256,768]"), data=bytes(768)),
        "factors of integers": adapter(a=entry("I32", "[2,64]", "[0,512]")), "NaN": adapter(data=nan + nan),
        "empty with huge dimensions": adapter(a=entry("F32", "[2,0]", "[0,0]"), b=entry("F32", "[4611686018427387904,0]", "[0,0]"), data=b""),
        "updates and replaces": adapter(extra=f',"{LORA[:-6]}.weight":' + entry("F32", "[1]", "[1024,1028]"), data=bytes(1028)),
        "a tensor of another kind": adapter(extra=f',"{LORA}magnitude_vector":' + entry("F32", "[1]", "[1024,1028]"), data=bytes(1028)),
        "a layer that is not there": (adapter({"layers_to_transform": [9]})[0], sound[1].replace(b"layers.0", b"layers.9")),
        "a layer that is not meant": (sound[0], sound[1].replace(b"layers.0", b"layers.1")),
        "a module that is not meant": adapter({"target_modules": ["k_proj"]}),
        "a layer without factors": adapter({"layers_to_transform": None}),
        "a module without factors": adapter({"target_modules": ["q_proj", "v_proj"]}),
        "a saved module that is absent": adapter({"modules_to_save": ["lm_head"]}), "no tensors": (sound[0], header("{}")),
        "factors of an embedding": adapter(
            extra=',"base_model.model.model.embed_tokens.lora_embedding_A":' + entry("F32", "[1]", "[1024,1028]"), data=bytes(1028)),
        "the adapter's own name in a name": (sound[0], header(
            f'{{"{LORA}A.default.weight":{entry("F32", "[2,64]", "[0,512]")}}}', bytes(512))),
        "an embedding of another size": adapter(
            extra=',"base_model.model.model.embed_tokens.weight":' + entry("F32", "[1,64]", "[1024,1280]"), data=bytes(1280)),
        "overflowing product": adapter(config={"lora_alpha": 1e308}, data=struct.pack("<f", 1e30) * 256),
    }
    return cases


# Running the program

# The time and memory of a process are told with those of the process that started it, so a small one must. Processor time:
# the machine may have other work.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
                     file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024])
"""


class Watched:
    """Runs the program and keeps the most time and memory that a run took."""

    def __init__(self, program):
        self.program = program
        self.seconds = 0
        self.megabytes = 0
        self.slowest = self.largest = ""
        self.large = []

    def run(self, case, *words):
        """(exit code, diagnostics, what is wrong with the limits)."""
        command = [sys.executable, "-SEc", MEASURE, self.program, *map(str, words), "--progress", "none"]
        try:
            result = subprocess.run(command, capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            return 0, "", ["does not end"]
        code, seconds, megabytes = json.loads(result.stdout)
        if "million" in case:
            self.large.append(f"{case}: {seconds:.2f} s, {megabytes:.0f} MB")
        if seconds > self.seconds:
            self.seconds, self.slowest = seconds, case
        if megabytes > self.megabytes:
            self.megabytes, self.largest = megabytes, case
        over = []
        if seconds > SECONDS:
            over.append(f"{seconds:.1f} s")
        if megabytes > MEGABYTES:
            over.append(f"{megabytes:.0f} MB")
        return code, result.stderr.decode("utf-8", "replace"), over

    def text(self):
        text = f"at most {self.seconds:.2f} s ({self.slowest}) and {self.megabytes:.0f} MB ({self.largest})"
        return "; ".join([text, *self.large])


def problem(ending, name):
    """What is not as it should be in how a run ended."""
    code, text, over = ending
    if code not in (1, 65):
        return f"ended with {code}: {text!r}"
    if text.count("\n") != 1 or not text.startswith("kuoci: ") or len(text) > 1200:
        return f"no one sentence: {text[:300]!r}"
    if name not in text:
        return f"does not name {name}: {text!r}"
    return ", ".join(over)


def write(path, content):
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def refused(report, name, watched, cases, run):
    """Every case ends as it should, `run` telling how one is tried: (ending, name that must stand in it)."""
    wrong = []
    for case, content in cases.items():
        text = problem(*run(case, content))
        if text:
            wrong.append((case, text, ""))
    report.equal(name, f"{len(cases)} refused in one sentence; {watched.text()}", wrong)


def check_safetensors(report, name, program, work, pair):
    old, new, before, _ = pair
    model, out = work / "model", work / "out"
    make_model(model, before, old)
    path = model / "model.safetensors"
    sound, accepted, watched = path.read_bytes(), [], Watched(program)

    def attempt(case, content):
        write(path, content if content is not None else many_tensors(1_000_000))
        ending = watched.run(case, "resize", "--model", model, "--tokenizer", new, "--out", out)
        if takes(path) != (case in SOUND_BUT_UNFIT):
            accepted.append((case, "refused", "safetensors takes it"))
        return ending, str(model) if case in SOUND_BUT_UNFIT else str(path)

    refused(report, name, watched, unsound_safetensors(sound) | SOUND_BUT_UNFIT, attempt)
    accepted += [("left behind", str(item), "nothing") for item in work.iterdir() if item != model]
    report.equal(name + " beside the package", "same verdicts, nothing left behind", accepted)


def check_index(report, name, program, work, pair):
    old, new, before, _ = pair
    model = work / "model"
    make_model(model, before, old, shard="60KB")
    shards = sorted(item.name for item in model.glob("*.safetensors"))
    (model / "sub").mkdir()
    (model / "loop.safetensors").symlink_to("loop.safetensors")
    os.mkfifo(model / "fifo.safetensors")
    watched = Watched(program)

    def attempt(case, content):
        write(model / "model.safetensors.index.json", content)
        return watched.run(case, "resize", "--model", model, "--tokenizer", new, "--out", work / "out"), str(model)

    refused(report, name, watched, unsound_index(shards), attempt)


def check_config(report, name, program, work, pair):
    old, new, before, _ = pair
    model = work / "model"
    make_model(model, before, old)
    config = json.loads((model / "config.json").read_text())
    watched = Watched(program)

    def resize(case, content):
        write(model / "config.json", content)
        where = str(model) if case.startswith("tied") else str(model / "config.json")
        return watched.run(case, "resize", "--model", model, "--tokenizer", new, "--out", work / "out"), where

    def init(case, content):
        write(work / "config.json", content)
        return watched.run(case, "init", "--config", work / "config.json", "--tokenizer", old, "--out", work / "out"), "config.json"

    refused(report, name, watched, unsound_config(config), resize)
    refused(report, name + " of a new model", watched, unfit_layout(config), init)


def check_adapters(report, name, program, work, pair):
    old, _, before, _ = pair
    model, directory = work / "model", work / "adapter"
    make_model(model, before, old)
    watched = Watched(program)

    def attempt(case, content):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        write(directory / "adapter_config.json", content[0])
        if content[1] is not None:
            write(directory / "adapter_model.safetensors", content[1])
        # Where the rank is another one, both files may be at fault.
        name = "adapter_config.json" if case.startswith("config ") else str(directory / "adapter_model.safetensors")
        return watched.run(case, "export", "--model", model, "--adapter", directory, "--out", work / "out"), name

    write_sound = adapter()
    attempt("sound", write_sound)
    if not (work / "out/model.safetensors").exists():
        raise RuntimeError("the sound adapter is refused")
    shutil.rmtree(work / "out")
    refused(report, name, watched, unsound_adapters(), attempt)

    config = json.loads((model / "config.json").read_text())

    def base(case, content):
        write(model / "config.json", content)
        return attempt(case, write_sound)[0], str(model / "config.json")

    unfit = {
        "another family": {**config, "model_type": "qwen2"}, "hidden_size not the width": {**config, "hidden_size": 4096},
        "vocab_size not the rows": {**config, "vocab_size": config["vocab_size"] + 1}}
    refused(report, name + " for another base", watched, unfit, base)


def check_gguf(report, name, program, work, _):
    path, out, watched = work / "model.gguf", work / "out", Watched(program)

    def attempt(case, content):
        shutil.rmtree(out, ignore_errors=True)
        write(path, content() if callable(content) else content)
        return watched.run(case, "convert", "--from", path, "--to", out), str(path)

    attempt("sound", file())
    if not (out / "model.safetensors").exists():
        raise RuntimeError("the sound model is refused")
    refused(report, name, watched, unsound_gguf(), attempt)
    left = [str(item) for item in work.iterdir() if item != path]
    report.equal(name + " afterwards", "nothing left behind", [(item, "there", "nothing") for item in left])


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    with tempfile.TemporaryDirectory() as directory:
        pair = make_tokenizers(pathlib.Path(directory))
        report.run("unsound safetensors", in_directory(check_safetensors), options.kuoci, pair)
        report.run("unsound index", in_directory(check_index), options.kuoci, pair)
        report.run("unsound config", in_directory(check_config), options.kuoci, pair)
        report.run("unsound adapters", in_directory(check_adapters), options.kuoci, pair)
        report.run("unsound GGUF", in_directory(check_gguf), options.kuoci, pair)
    report.end()


if __name__ == "__main__":
    main()
