"""GGUF files that are no sound model, one of each kind that is known, for unsound.py."""

import struct

UINT8, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 0, 4, 5, 6, 7, 8, 9, 10
F32, Q8_0, I32 = 0, 8, 26
HIDDEN, LAYERS = 32, 1


# Values, each with its type before it


def text(content):
    content = content.encode() if isinstance(content, str) else content
    return struct.pack("<Q", len(content)) + content


def words(content):
    return struct.pack("<I", STRING) + text(content)


def uint32(number):
    return struct.pack("<II", UINT32, number)


def uint64(number):
    return struct.pack("<IQ", UINT64, number)


def float32(number):
    return struct.pack("<If", FLOAT32, number)


def flag(byte):
    return struct.pack("<IB", BOOL, byte)


def array(kind, count, content):
    return struct.pack("<IIQ", ARRAY, kind, count) + content


def strings(texts):
    return array(STRING, len(texts), b"".join(map(text, texts)))


def floats(numbers):
    return array(FLOAT32, len(numbers), struct.pack(f"<{len(numbers)}f", *numbers))


def integers(numbers):
    return array(INT32, len(numbers), struct.pack(f"<{len(numbers)}i", *numbers))


# A sound model of one layer, and files like it

TOKENS = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["a", "b", "ab"]
TYPES = [2, 3, 3] + [6] * 256 + [1] * 3
SCORES = [0.0] * 259 + [-1.0, -2.0, -3.0]


def sound_entries():
    return {
        "general.architecture": words("llama"), "llama.block_count": uint32(LAYERS), "llama.context_length": uint32(64),
        "llama.embedding_length": uint32(HIDDEN), "llama.feed_forward_length": uint32(HIDDEN),
        "llama.attention.head_count": uint32(2), "llama.attention.head_count_kv": uint32(2),
        "llama.attention.layer_norm_rms_epsilon": float32(1e-5), "llama.rope.freq_base": float32(10000),
        "tokenizer.ggml.model": words("llama"), "tokenizer.ggml.tokens": strings(TOKENS),
        "tokenizer.ggml.scores": floats(SCORES), "tokenizer.ggml.token_type": integers(TYPES),
        "tokenizer.ggml.bos_token_id": uint32(1), "tokenizer.ggml.eos_token_id": uint32(2),
        "tokenizer.ggml.unknown_token_id": uint32(0),
    }


def sound_tensors():
    """name: (dimensions, innermost first; type; bytes)."""
    def matrix(rows):
        return [HIDDEN, rows], F32, struct.pack("<f", 0.5) * (HIDDEN * rows)
    norm = [HIDDEN], F32, struct.pack("<f", 1) * HIDDEN
    parts = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    return {
        "token_embd.weight": matrix(len(TOKENS)), **{f"blk.0.{part}.weight": matrix(HIDDEN) for part in parts},
        "blk.0.attn_norm.weight": norm, "blk.0.ffn_norm.weight": norm, "output_norm.weight": norm,
        "output.weight": matrix(len(TOKENS)),
    }


def start(tensor_count, key_count, version=3):
    return b"GGUF" + struct.pack("<IQQ", version, tensor_count, key_count)


def described(name, dimensions, kind, position):
    return text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, position)


def file(entries=None, tensors=None, more=(), places=None):
    """A whole file; `more` are entries behind the others, `places` other positions of tensors."""
    entries, tensors = entries or sound_entries(), list((tensors or sound_tensors()).items())
    pairs = [*entries.items(), *more]
    head = start(len(tensors), len(pairs)) + b"".join(text(key) + value for key, value in pairs)
    due, data = 0, b""
    for name, (dimensions, kind, content) in tensors:
        head += described(name, dimensions, kind, (places or {}).get(name, due))
        content += bytes(-len(content) % 32)
        due += len(content)
        data += content
    return head + bytes(-len(head) % 32) + data


def with_keys(**keys):
    """The sound model with other values; two underscores stand for the point in a key."""
    return file({**sound_entries(), **{key.replace("__", "."): value for key, value in keys.items()}})


def with_tensor(name, tensor):
    """The sound model with another tensor, or without it."""
    tensors = {**sound_tensors(), name: tensor}
    return file(tensors={key: value for key, value in tensors.items() if value is not None})


# What is not a sound model


def nested(depth):
    return struct.pack("<I", ARRAY) + struct.pack("<IQ", ARRAY, 1) * depth + struct.pack("<IQ", UINT8, 0)


def one_key(value):
    return start(1, 1) + text("k") + value


def broken_files():
    whole = file()
    return {
        "empty": b"", "four bytes": b"GGUF", "HTML": b"<!DOCTYPE html><html></html>",
        "LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid 1\n", "older magic": b"GGML" + whole[4:],
        "version 1": start(1, 0, 1), "version 2^31": start(1, 0, 1 << 31), "big-endian": start(1, 0, 3 << 24),
        "2^64 - 1 keys": start(1, (1 << 64) - 1), "2^63 tensors": start(1 << 63, 0),
        "cut in the keys": whole[:500], "cut in the tensors' names": whole[: whole.index(b"blk.0.ffn_up") + 4],
        "cut in half": whole[: len(whole) // 2], "one byte short": whole[:-1],
        "key twice": file(more=[("llama.block_count", uint32(1))]),
        "key of 2^63 bytes": start(1, 1) + struct.pack("<Q", 1 << 63) + bytes(20),
        "key that is not UTF-8": start(1, 1) + text(b"\xff") + flag(1),
        "text past the end": one_key(struct.pack("<IQ", STRING, 1000) + b"a"), "flag of 2": one_key(flag(2)),
        "value of no type": one_key(struct.pack("<I", 13) + bytes(8)),
        "array of 2^62 numbers": one_key(array(FLOAT32, 1 << 62, bytes(8))),
        "array of 2^61 texts": one_key(array(STRING, 1 << 61, bytes(8))),
        "array of no type": one_key(array(99, 1, bytes(8))), "arrays 100,000 deep": one_key(nested(100_000)),
        "alignment 0": with_keys(general__alignment=uint32(0)), "alignment 24": with_keys(general__alignment=uint32(24)),
        "alignment 2^31": with_keys(general__alignment=uint32(1 << 31)),
        "alignment a text": with_keys(general__alignment=words("32")),
    }


def broken_tensors():
    norm, name = sound_tensors()["output_norm.weight"], "output_norm.weight"
    scale = struct.pack("<e", float("nan")) + bytes(32)
    rows = len(TOKENS)
    return {
        "tensor missing": with_tensor("blk.0.ffn_up.weight", None), "tensor of another model": with_tensor("rope_freqs.weight", norm),
        "tensor twice": with_keys().replace(b"blk.0.attn_k.weight", b"blk.0.attn_q.weight"),
        "name of 65 bytes": with_tensor("n" * 65, norm), "five dimensions": with_tensor(name, ([1, 1, 1, 1, HIDDEN], *norm[1:])),
        "2^32 - 1 dimensions": start(1, 0) + text("a") + struct.pack("<I", (1 << 32) - 1) + bytes(64),
        "dimension of 2^63": with_tensor(name, ([1 << 63], *norm[1:])), "2^62 numbers": with_tensor(name, ([1 << 62], *norm[1:])),
        "product of 2^64": with_tensor(name, ([1 << 32, 1 << 32], *norm[1:])),
        "product of 2^64 + 32": with_tensor(name, ([HIDDEN, (1 << 59) + 1], *norm[1:])),
        "larger than its bytes": with_tensor("output.weight", ([HIDDEN, 2 * rows], F32, sound_tensors()["output.weight"][2])),
        "unknown type": with_tensor(name, (norm[0], 999, norm[2])), "type of integers": with_tensor(name, (norm[0], I32, norm[2])),
        "rows of half a block": with_tensor(name, ([16, 2], Q8_0, norm[2])),
        "hole": file(places={name: 1 << 20}), "overlap": file(places={name: 0}),
        "position of 2^64 - 1": file(places={name: (1 << 64) - 1}), "position off by one": file(places={"blk.0.attn_q.weight": 1}),
        "shape of another size": with_tensor("blk.0.attn_q.weight", ([HIDDEN, 16], F32, bytes(HIDDEN * 16 * 4))),
        "an embedding of one row": with_tensor("token_embd.weight", ([HIDDEN, 1], F32, bytes(HIDDEN * 4))),
        "a row less than tokens": with_tensor("token_embd.weight", ([HIDDEN, rows - 1], F32, bytes(HIDDEN * 4 * (rows - 1)))),
        "a scale that is NaN": with_tensor("blk.0.ffn_up.weight", ([HIDDEN, HIDDEN], Q8_0, scale * HIDDEN)),
    }


def false_sizes():
    def changed(name, value):
        return file({**sound_entries(), name: value})
    cases = {f"{name} {label}": changed(name, value) for name, label, value in [
        ("general.architecture", "mamba", words("mamba")), ("llama.block_count", "2^32 - 1", uint32((1 << 32) - 1)),
        ("llama.block_count", "0", uint32(0)), ("llama.block_count", "a text", words("1")),
        ("llama.block_count", "2^64 - 1", uint64((1 << 64) - 1)), ("llama.embedding_length", "2^32 - 1", uint32((1 << 32) - 1)),
        ("llama.feed_forward_length", "2^32 - 1", uint32((1 << 32) - 1)), ("llama.attention.head_count", "0", uint32(0)),
        ("llama.attention.head_count", "3", uint32(3)), ("llama.attention.head_count_kv", "3", uint32(3)),
        ("llama.attention.key_length", "2^32 - 1", uint32((1 << 32) - 1)), ("llama.rope.dimension_count", "8", uint32(8)),
        ("llama.expert_count", "8", uint32(8)), ("llama.vocab_size", "5", uint32(5)), ("llama.context_length", "0", uint32(0)),
        ("llama.rope.freq_base", "0", float32(0)), ("llama.rope.freq_base", "-1", float32(-1)),
        ("llama.rope.freq_base", "NaN", float32(float("nan"))), ("llama.attention.layer_norm_rms_epsilon", "0", float32(0)),
        ("llama.attention.layer_norm_rms_epsilon", "-1", float32(-1)), ("llama.rope.scaling.factor", "0", float32(0)),
        ("llama.rope.scale_linear", "-2", float32(-2)), ("llama.rope.scaling.type", "a flag", flag(1)),
        ("llama.rope.scaling.type", "yarn", words("yarn")),
    ]}
    entries = sound_entries()
    del entries["llama.embedding_length"]
    return cases | {"no embedding_length": file(entries)}


def broken_vocabularies():
    def changed(name, value):
        return file({**sound_entries(), "tokenizer.ggml." + name: value})
    cases = {f"{name}: {label}": changed(name, value) for name, label, value in [
        ("model", "gpt2", words("gpt2")), ("model", "a number", uint32(1)), ("tokens", "integers", integers([1])),
        ("tokens", "one fewer", strings(TOKENS[:-1])), ("tokens", "not UTF-8", strings([*TOKENS[:-1], b"\xff"])),
        ("tokens", "empty", strings([*TOKENS[:-1], ""])), ("tokens", "twice", strings([*TOKENS[:-1], "a"])),
        ("tokens", "1 MB", strings([*TOKENS[:-1], "a" * 1_000_000])), ("tokens", "NUL", strings([*TOKENS[:-1], "a\0"])),
        ("tokens", "none", strings([])), ("scores", "one fewer", floats(SCORES[:-1])),
        ("scores", "NaN", floats([*SCORES[:-1], float("nan")])), ("scores", "infinite", floats([*SCORES[:-1], float("inf")])),
        ("token_type", "one more", integers([*TYPES, 1])), ("token_type", "7", integers([*TYPES[:-1], 7])),
        ("token_type", "-1", integers([*TYPES[:-1], -1])), ("token_type", "two unknown", integers([*TYPES[:-1], 2])),
        ("token_type", "255 bytes", integers([*TYPES[:258], 1, 1, 1, 1])), ("eos_token_id", "the rows", uint32(len(TOKENS))),
        ("bos_token_id", "2^32 - 1", uint32((1 << 32) - 1)), ("padding_token_id", "2^64 - 1", uint64((1 << 64) - 1)),
        ("padding_token_id", "-1", struct.pack("<Ii", INT32, -1)), ("unknown_token_id", "a text", words("0")),
        ("add_space_prefix", "a number", uint32(1)), ("add_bos_token", "a number", uint32(1)),
        ("precompiled_charsmap", "a text", words("x")), ("precompiled_charsmap", "three bytes", array(UINT8, 3, b"abc")),
        ("precompiled_charsmap", "a root out of range", array(UINT8, 12, struct.pack("<III", 4, 0xFFFFFFFF, 0))),
    ]}
    cases["chat template a number"] = file({**sound_entries(), "tokenizer.chat_template": uint32(1)})
    return cases


def large_files():
    """Functions that make them, since all at once would fill the memory."""
    def alone(key, value):
        return lambda: start(1, 1) + text(key) + value()
    def filled(count, piece):
        return b"".join(piece(index) for index in range(count))
    million = 1_000_000
    same = {
        "tokenizer.ggml.scores": lambda: floats([0.0] * million), "tokenizer.ggml.token_type": lambda: integers([1] * million),
        "tokenizer.ggml.tokens": lambda: strings([*map(str, range(million - 1)), "5"])}
    return {
        "an array of 90 MB": alone("k", lambda: array(UINT8, 90_000_000, bytes(90_000_000))),
        "a charsmap of 90 MB": alone(
            "tokenizer.ggml.precompiled_charsmap", lambda: array(UINT8, 90_000_000, bytes(90_000_000))),
        "12 million empty texts": alone("k", lambda: array(STRING, 12_000_000, bytes(96_000_000))),
        "12 million empty tokens": alone("tokenizer.ggml.tokens", lambda: array(STRING, 12_000_000, bytes(96_000_000))),
        "one million tokens of 60 bytes": alone(
            "tokenizer.ggml.tokens", lambda: strings([f"{index:060}" for index in range(million)])),
        "8 million arrays in an array": alone("k", lambda: array(ARRAY, 8_000_000, struct.pack("<IQ", UINT8, 0) * 8_000_000)),
        "a text of 90 MB": alone("tokenizer.ggml.model", lambda: words(b"a" * 90_000_000)),
        "an architecture of 90 MB": lambda: file({**sound_entries(), "general.architecture": words(b"a" * 90_000_000)}),
        "a chat template of 90 MB": lambda: file({**sound_entries(), "tokenizer.chat_template": words(b"a" * 90_000_000)}),
        "90 texts of 1 MB": lambda: start(1, 90) + filled(90, lambda index: text(f"k{index}") + words(b"a" * 1_000_000)),
        "1,400 keys of 63 KB of Chinese": lambda: start(1, 1400) + filled(
            1400, lambda index: text("名" * 21_000 + str(index)) + flag(1)),
        "a key of 95 MB": lambda: start(1, 1) + text(b"k" * 95_000_000) + flag(1),
        "two million keys": lambda: start(1, 2 * million) + filled(2 * million, lambda index: text(f"k{index}") + flag(1)),
        "65,536 keys": lambda: start(1, 1 << 16) + filled(1 << 16, lambda index: text(f"k{index}") + flag(1)),
        "two million tensors": lambda: start(2 * million, 0) + filled(
            2 * million, lambda index: described(f"t{index}", [0], F32, 0)),
        "65,536 tensors": lambda: start(1 << 16, 0) + filled(1 << 16, lambda index: described(f"t{index}", [0], F32, 0)),
        "a million tokens, one of them twice": lambda: file({**sound_entries(), **{key: make() for key, make in same.items()}}),
        "a million tokens for few rows": lambda: file({
            **sound_entries(), **{key: make() for key, make in same.items()},
            "tokenizer.ggml.token_type": integers([2] + [1] * (million - 1)),
            "tokenizer.ggml.tokens": strings([*map(str, range(million))])}),
    }


def unsound_gguf():
    return broken_files() | broken_tensors() | false_sizes() | broken_vocabularies() | large_files()
