"""Mutated safetensors files: we take and refuse what the safetensors package takes and refuses.

Sound files are taken apart, changed by mutations that know the format (header values, keys, spellings, whitespace, lengths,
UTF-8, bits, truncation), and put together again. Each is judged by the package, from memory and from disk, and by
safetensors-verdicts, which `make conformance` builds beside the program.
"""

import argparse
import json
import pathlib
import random
import struct
import subprocess
import tempfile
import time
import unicodedata

from safetensors import deserialize, safe_open

from harness import ROOT, Report

DTYPES = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64,
    "F64": 64, "I64": 64, "U64": 64}


class Object(list):
    """A JSON object as its pairs: keys may come twice, in any order."""

    def text(self, pad):
        return "{" + pad() + ("," + pad()).join(
            f"{json.dumps(key, ensure_ascii=pad.escapes)}{pad()}:{pad()}{spell(value, pad)}" for key, value in self) + pad() + "}"


class Raw(str):
    """JSON text as it is to be written."""


def spell(value, pad):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Object):
        return value.text(pad)
    if isinstance(value, list):
        return "[" + pad() + ("," + pad()).join(spell(item, pad) for item in value) + pad() + "]"
    return json.dumps(value, ensure_ascii=pad.escapes)


class Padding:
    """Whitespace between the tokens: mostly none."""

    def __init__(self, generator):
        self.generator = generator
        self.escapes = generator.random() < 0.5
        self.is_loose = generator.random() < 0.2

    def __call__(self):
        return self.generator.choice(["", " ", "\n", "\t", "\r\n", "  "]) if self.is_loose else ""


NUMBERS = [0, 1, 2, 7, 8, 255, 1 << 31, (1 << 31) - 1, 1 << 32, 1 << 53, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, 10**30, -1, -(1 << 63)]
ODD_VALUES = [Raw(text) for text in (
    "null", "true", "{}", "[]", '""', '"1"', "-0", "0.0", "1.0", "1e0", "1E2", "01", "+1", ".5", "1.", "0x10", "NaN", "Infinity", "1e999",
    "-1e-999", "1e308", '"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"\\u0000"', '"a\nb"', '"\\x"', "'a'", "[1,]", '{"a":1,"a":2}', "[[]]", "tru",
    "[" * 124 + "]" * 124, "[" * 125 + "]" * 125, "[" * 126 + "]" * 126, "[" * 200 + "]" * 200, "9" * 400)]


class Mutant:
    """A sound file, taken apart, and what is done to it."""

    def __init__(self, generator):
        self.generator = generator
        self.notes = []
        self.tensors = Object()
        self.position = 0
        for index in range(generator.choice([0, 1, 1, 2, 2, 3, 5, 9])):
            self.add_tensor(index)
        if generator.random() < 0.5:
            self.tensors.insert(0, ("__metadata__", Object([("format", "pt"), ("é", "中文")][:generator.choice([1, 2])])))
        if generator.random() < 0.3:
            generator.shuffle(self.tensors)
        self.data = bytes(generator.randrange(256) for _ in range(self.position))
        self.before = self.after = ""
        self.length = None

    def add_tensor(self, index):
        generator = self.generator
        dtype = generator.choice(list(DTYPES))
        shape = [generator.choice([0, 1, 2, 3, 4]) for _ in range(generator.choice([0, 1, 1, 2, 2, 3]))]
        count = 1
        for dimension in shape:
            count *= dimension
        if count * DTYPES[dtype] % 8:
            shape.append(8)
            count *= 8
        size = count * DTYPES[dtype] // 8
        name = generator.choice([f"model.layers.{index}.weight", f"t{index}", f"权重{index}", f"e\u0301{index}", f"😀{index}"])
        members = Object([("dtype", dtype), ("shape", shape), ("data_offsets", [self.position, self.position + size])])
        if generator.random() < 0.2:
            generator.shuffle(members)
        self.tensors.append((name, members))
        self.position += size

    # Mutations of the header's values

    def entries(self):
        return [place for place, (key, value) in enumerate(self.tensors) if key != "__metadata__" and isinstance(value, Object)]

    def number(self, near):
        return near + self.generator.choice([-8, -1, 1, 2, 8]) if self.generator.random() < 0.5 else self.generator.choice(NUMBERS)

    def change_member(self):
        generator = self.generator
        if not self.entries():
            return
        members = self.tensors[generator.choice(self.entries())][1]
        if not members:
            return
        place = generator.randrange(len(members))
        key, value = members[place]
        action = generator.randrange(8)
        if action == 0:
            members.pop(place)
        elif action == 1:
            members.append((key, generator.choice([value, value, 1])))
        elif action == 2:
            members[place] = (generator.choice([key.upper(), key + " ", "", "dtype", "shape", "data_offsets"]), value)
        elif action == 3:
            members.append((generator.choice(["x", "extra", "", "𝔵"]), generator.choice(ODD_VALUES)))
        elif key == "dtype":
            members[place] = (key, generator.choice([
                generator.choice(list(DTYPES)), str(value).lower(), str(value) + " ", "", "F33", Object([(str(value), Raw("null"))]),
                Object([(str(value), 1)]), Object(), generator.choice(ODD_VALUES)]))
        elif isinstance(value, list) and not isinstance(value, Object):
            members[place] = (key, self.changed_list(value))
        else:
            members[place] = (key, generator.choice(ODD_VALUES))

    def changed_list(self, values):
        generator = self.generator
        values = list(values)
        action = generator.randrange(7)
        if action == 0 or not values:
            values.insert(generator.randint(0, len(values)), generator.choice([0, 1, 1, generator.choice(NUMBERS)]))
        elif action == 1:
            values.pop(generator.randrange(len(values)))
        elif action == 2:
            values.reverse()
        elif action == 3:
            return generator.choice(ODD_VALUES)
        elif action == 4:
            values[generator.randrange(len(values))] = generator.choice(ODD_VALUES)
        else:
            place = generator.randrange(len(values))
            if isinstance(values[place], int):
                values[place] = self.number(values[place])
        return values

    def change_entry(self):
        generator = self.generator
        if not self.tensors:
            return
        place = generator.randrange(len(self.tensors))
        key, value = self.tensors[place]
        action = generator.randrange(8)
        if action == 0:
            self.tensors.pop(place)
        elif action == 1:
            self.tensors.insert(generator.randint(0, len(self.tensors)), (key, value))
        elif action == 2:
            self.tensors[place] = (generator.choice([key, key, "", "x\0y", "../" + key, "__metadata__", "n" * 3000]), value)
        elif action == 3 and isinstance(value, Object):
            # As serde takes it: the members in their order, without their names.
            self.tensors[place] = (key, [dict(value).get(name, 0) for name in ("dtype", "shape", "data_offsets")])
        elif action == 4:
            self.tensors[place] = (key, generator.choice(ODD_VALUES))
        elif action == 5:
            other = generator.randrange(len(self.tensors))
            self.tensors[place] = (key, self.tensors[other][1])
        elif action == 6:
            self.tensors[place] = (unicodedata.normalize(generator.choice(["NFC", "NFD"]), key), value)
            if generator.random() < 0.5:
                self.tensors.append((unicodedata.normalize("NFC", key), [generator.choice(list(DTYPES)), [0], [self.position] * 2]))
        else:
            self.tensors.append((f"more{len(self.tensors)}", Object(
                [("dtype", "U8"), ("shape", [generator.choice(NUMBERS), 0]), ("data_offsets", [self.position] * 2)])))

    def change_metadata(self):
        value = self.generator.choice([
            Object(), Object([("a", "b"), ("a", "c")]), Object([("a", 1)]), Object([("a", Raw("null"))]), Object([("a", Object())]), Raw("null"),
            Object([("\u00e9", "1"), ("e\u0301", "2")]), Object([("", "")]), self.generator.choice(ODD_VALUES)])
        self.tensors.insert(self.generator.randint(0, len(self.tensors)), ("__metadata__", value))

    # Mutations around it

    def pad(self):
        text = self.generator.choice([" ", "\n", "\t", "\r", "  \n", "\0", "\f", "\ufeff", "\u00a0", "x", "{}", ",", "\v"]) * self.generator.choice([1, 1, 8])
        if self.generator.random() < 0.6:
            self.after = text
        else:
            self.before = text

    def resize_data(self):
        count = self.generator.choice([1, 1, 2, 8, 100])
        self.data = self.data[:-count] if self.generator.random() < 0.5 else self.data + bytes(count)

    def change_length(self):
        self.length = lambda n: self.generator.choice(
            [n - 1, n + 1, 0, 1, 2, n + len(self.data), n + len(self.data) + 1, 100_000_000, 100_000_001, 1 << 63, (1 << 64) - 1, (1 << 64) - 8, n | 1 << 56])

    # Putting it together

    def content(self):
        generator = self.generator
        moves = [self.change_member] * 5 + [self.change_entry] * 3 + [self.change_metadata, self.pad, self.pad, self.resize_data, self.change_length]
        for _ in range(generator.choice([0, 1, 1, 1, 1, 2, 3])):
            generator.choice(moves)()
        text = (self.before + self.tensors.text(Padding(generator)) + self.after).encode("utf-8", "surrogatepass")
        length = len(text) if self.length is None else max(0, self.length(len(text)))
        content = struct.pack("<Q", length & (1 << 64) - 1) + text + self.data
        for _ in range(generator.choice([0, 0, 0, 0, 1, 2])):
            content = self.damaged(content, len(text))
        return content

    def damaged(self, content, size):
        generator = self.generator
        place = generator.randrange(len(content) + 1)
        # Rather in the header than in the data.
        if generator.random() < 0.8:
            place = min(place, generator.randrange(8 + size + 1))
        action = generator.randrange(6)
        if action == 0:
            return content[:place]
        if action == 1:
            return content[:place] + bytes([generator.randrange(256)]) + content[place:]
        if action == 2:
            return content[:place] + content[place + 1:]
        if action == 3:
            bad = generator.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8", b"\x80", b"\x00", b"\x7f"])
            return content[:place] + bad + content[place + len(bad):]
        if action == 4:
            return content + bytes(generator.choice([1, 8]))
        if place < len(content):
            return content[:place] + bytes([content[place] ^ 1 << generator.randrange(8)]) + content[place + 1:]
        return content


def repeats_a_key(content):
    """Whether some object of the header has a key twice, or two that differ in Unicode normalization only."""
    found = []

    def pairs(items):
        keys = [unicodedata.normalize("NFC", key) for key, _ in items]
        found.append(len(set(keys)) < len(keys))

    size, = struct.unpack_from("<Q", content)
    json.loads(content[8:8 + size], object_pairs_hook=pairs)
    return any(found)


def beyond(content):
    """Whether a shape holds a number that does not fit 63 bits."""
    size, = struct.unpack_from("<Q", content)
    values = json.loads(content[8:8 + size])
    shapes = [value["shape"] if isinstance(value, dict) else value[1] for key, value in values.items() if key != "__metadata__"]
    return any(dimension >= 1 << 63 for shape in shapes for dimension in shape)


def takes(path):
    try:
        with safe_open(path, "np"):
            return True
    except Exception:
        return False


def verdict(content, path):
    """Whether safetensors takes a file, from memory and from disk."""
    try:
        deserialize(content)
        in_memory = True
    except Exception:
        in_memory = False
    if takes(path) != in_memory:
        raise RuntimeError(f"safetensors takes {path.name} in one way only")
    return in_memory


def check_mutations(report, name, judge, work, count, seed):
    for number in range(count):
        (work / f"{number:06}").write_bytes(Mutant(random.Random(f"{seed} {number}")).content())
    began = time.monotonic()
    result = subprocess.run([judge, work], capture_output=True)
    seconds = time.monotonic() - began
    if result.returncode != 0:
        raise RuntimeError(f"safetensors-verdicts ended with {result.returncode}: {result.stderr.decode()[-300:]}")
    ours = dict(line.split("\t", 1) for line in result.stdout.decode().split("\n") if line)
    both = neither = repeated = large = 0
    wrong = [] if len(ours) == count else [("count", len(ours), count)]
    for file, text in ours.items():
        content = (work / file).read_bytes()
        theirs = verdict(content, work / file)
        if text == "ok" and theirs:
            both += 1
        elif text != "ok" and not theirs:
            neither += 1
        elif theirs and "is repeated" in text and repeats_a_key(content):
            repeated += 1
        elif theirs and "shape is not a list of whole numbers" in text and beyond(content):
            large += 1
        else:
            wrong.append((f"{file} of seed {seed}: {content[8:300]!r}", text, "ok" if theirs else "refused"))
        if text != "ok" and not text.startswith(str(work / file) + ": "):
            wrong.append((file, text, "names the file"))
    report.equal(name, f"{count} files judged in {seconds:.1f} s: {both} accepted by both, {neither} refused by both; refused by us alone: "
                 f"{repeated} for a repeated key, {large} for a dimension over 2^63 - 1 of an empty tensor", wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"), help="the program beside which the judge stands")
    parser.add_argument("--shared", help="not used here")
    parser.add_argument("--only", help="run only the checks whose name contains this")
    parser.add_argument("--count", type=int, default=20_000, help="how many files")
    parser.add_argument("--seed", type=int, default=1, help="decides them")
    options = parser.parse_args()
    report = Report(options.only)
    judge = pathlib.Path(options.kuoci).resolve().parent / "safetensors-verdicts"
    with tempfile.TemporaryDirectory() as work:
        if judge.exists():
            report.run("mutated safetensors", check_mutations, judge, pathlib.Path(work), options.count, options.seed)
        else:
            report.skipped("mutated safetensors", f"{judge} is not built; run make conformance")
    report.end()


if __name__ == "__main__":
    main()
