"""What crashes.py and hazards.py share: tiny inputs, the program run with a fault, and what a directory holds afterwards."""

import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Failure(Exception):
    pass


def build_shim(place):
    library = place / "faults.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, HERE / "faults.c"], check=True)
    return library


def run(program, words, place, **extra):
    """The program, run in a directory; `extra` goes to its environment."""
    environment = dict(os.environ, **{key: str(value) for key, value in extra.items()})
    try:
        return subprocess.run([program, *map(str, words)], cwd=place, env=environment, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        raise Failure(f"kuoci {words[0]} does not end") from None


def sentence(result):
    """The diagnostic of a failed run, which is one line that begins with the program's name."""
    text = result.stderr.decode("utf-8", "replace")
    if not text.startswith("kuoci: ") or text.count("\n") != 1 or not text.endswith("\n"):
        raise Failure(f"no one sentence: {text!r}")
    return text


def snapshot(place):
    """The hash of every file under a directory that is not hidden, by its path; hidden entries at its top, by name."""
    files, hidden = {}, []
    for path in sorted(place.iterdir()):
        if path.name.startswith("."):
            hidden.append(path.name)
            continue
        for file in sorted(path.rglob("*")) if path.is_dir() and not path.is_symlink() else [path]:
            if not file.is_dir():
                files[str(file.relative_to(place))] = hashlib.sha256(file.read_bytes()).hexdigest()
        if path.is_dir() and not any(path.iterdir()):
            files[path.name + "/"] = "empty"
    return files, hidden


# Inputs


def read_safetensors(path):
    """(dtype, shape, bytes) of each tensor."""
    data = path.read_bytes()
    size, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    base = 8 + size
    return {name: (entry["dtype"], entry["shape"], data[base + entry["data_offsets"][0]:base + entry["data_offsets"][1]])
            for name, entry in header.items()}


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def split(model, place):
    """The same checkpoint in two shards with an index."""
    place.mkdir()
    tensors = read_safetensors(model / "model.safetensors")
    names = sorted(tensors)
    # The embedding and the head in the first: the second is copied whole.
    first = [name for name in names if "embed" in name or "lm_head" in name or "layers.0" in name]
    shards = {"model-00001-of-00002.safetensors": first, "model-00002-of-00002.safetensors": [n for n in names if n not in first]}
    for shard, members in shards.items():
        write_safetensors(place / shard, {name: tensors[name] for name in members})
    index = {"metadata": {}, "weight_map": {name: shard for shard, members in shards.items() for name in members}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in ("config.json", "generation_config.json", "tokenizer.model"):
        (place / name).write_bytes((model / name).read_bytes())


def write_adapter(model, place):
    """A LoRA adapter of rank 1 for the query matrices, and a new embedding."""
    place.mkdir()
    tensors = read_safetensors(model / "model.safetensors")
    adapted = {}
    for name, (dtype, shape, content) in tensors.items():
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        if name.endswith("q_proj.weight"):
            adapted[stem + ".lora_A.weight"] = ("F32", [1, shape[1]], struct.pack("<f", 0.25) * shape[1])
            adapted[stem + ".lora_B.weight"] = ("F32", [shape[0], 1], struct.pack("<f", 0.5) * shape[0])
        elif "embed_tokens" in name:
            adapted[stem + ".weight"] = (dtype, shape, content)
    write_safetensors(place / "adapter_model.safetensors", adapted)
    (place / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "r": 1, "lora_alpha": 2, "target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"]}))


class Inputs:
    """Tokenizers, models and an adapter, made by the program itself where it can."""

    def __init__(self, program, place):
        self.program = program
        self.place = place
        place.mkdir()
        text = place / "text.txt"
        lines = (ROOT / "corpora/sample.zh.txt").read_text(encoding="utf-8").splitlines()[:12]
        text.write_text("\n".join(lines) + "\n", encoding="utf-8")
        english = place / "english.txt"
        english.write_text("\n".join((ROOT / "corpora/sample.en.txt").read_text(encoding="utf-8").splitlines()[:8]) + "\n")
        common = ["--hard-vocab-limit", "false", "--progress", "none", "--normalization-rule-name", "identity"]
        self.make("train", "--input", english, "--model-prefix", place / "base", "--model-type", "bpe", "--vocab-size", 330,
                  "--byte-fallback", "--remove-extra-whitespaces", "false", *common)
        self.make("train", "--input", text, "--model-prefix", place / "zh", "--model-type", "unigram", "--vocab-size", 300,
                  "--character-coverage", "0.98", *common)
        self.make("merge", "--base", place / "base.model", "--add", place / "zh.model", "--out", place / "merged")
        self.make("init", "--preset", "nano", "--tokenizer", place / "base.model", "--out", place / "model", "--progress", "none")
        self.make("convert", "--from", place / "model", "--to", place / "model.gguf")
        split(place / "model", place / "sharded")
        write_adapter(place / "model", place / "adapter")

    def make(self, *words):
        result = run(self.program, words, self.place)
        if result.returncode != 0:
            sys.exit(f"kuoci {words[0]} ended with {result.returncode}: {result.stderr.decode().strip()}")

    def commands(self):
        """The words of each command, by name; each makes `out`, or files whose names begin so."""
        one = "../inputs/"
        resize = ["--tokenizer", one + "merged", "--out", "out", "--progress", "none"]
        commands = {
            "resize": ["resize", "--model", one + "model", *resize],
            "resize shards": ["resize", "--model", one + "sharded", *resize],
            "resize shards --link": ["resize", "--model", one + "sharded", *resize, "--link"],
            "export": ["export", "--model", one + "model", "--adapter", one + "adapter", "--out", "out", "--progress", "none"],
            "merge": ["merge", "--base", one + "base.model", "--add", one + "zh.model", "--out", "out"],
            "init": ["init", "--preset", "nano", "--tokenizer", one + "base.model", "--out", "out", "--progress", "none"],
            "train": ["train", "--input", one + "text.txt", "--model-prefix", "out", "--vocab-size", "300", "--progress", "none",
                      "--hard-vocab-limit", "false", "--character-coverage", "0.98"],
        }
        for ending in ("model", "json", "gguf", "vocab"):
            commands[f"convert to .{ending}"] = ["convert", "--from", one + "base.model", "--to", f"out.{ending}"]
        commands["convert a checkpoint to .gguf"] = ["convert", "--from", one + "model", "--to", "out.gguf", "--type", "q4_0",
                                                    "--progress", "none"]
        commands["convert .gguf to a checkpoint"] = ["convert", "--from", one + "model.gguf", "--to", "out", "--progress", "none"]
        commands["convert to a directory"] = ["convert", "--from", one + "merged/tokenizer.json", "--to", "out"]
        return commands

    def stamp(self):
        """What would tell that an input was touched."""
        return {str(path): (path.stat().st_ino, path.stat().st_size, path.stat().st_mtime_ns)
                for path in sorted(self.place.rglob("*"))}

    def hashes(self):
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.place.rglob("*")) if path.is_file()}
