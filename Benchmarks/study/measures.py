"""What the runs of the study wrote, gathered: every figure of the tables comes from here, with the file that it stands in."""

import json


def objects(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def weights_per_token(config):
    """The weights that a token is multiplied by on the way forward: all of the layers' matrices, and the LM head."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    width = config.get("head_dim") or hidden // heads
    queries, keys = heads * width, (config.get("num_key_value_heads") or heads) * width
    layer = 2 * hidden * queries + 2 * hidden * keys + 3 * hidden * config["intermediate_size"]
    return config["num_hidden_layers"] * layer + config["vocab_size"] * hidden


def curve(directory, config):
    """Points of an arm's run over both stages: bytes and multiply-adds so far, and bits per byte of what is held out."""
    points, seen, targets, seconds = [], 0, 0, 0.0
    for stage in ("stage1", "stage2"):
        times = {line["step"]: line["seconds"] for line in objects(directory / stage / "timing.jsonl")}
        at = {0: (seen, targets, seconds)}
        for line in objects(directory / stage / "log.jsonl"):
            if line["event"] == "step":
                seen, targets, seconds = seen + line["bytes"], targets + line["targets"], seconds + times.get(line["step"], 0)
                at[line["step"]] = (seen, targets, seconds)
            elif line["event"] == "evaluation":
                now = at[line["step"]]
                if not points or (points[-1]["stage"], points[-1]["step"]) != (stage, line["step"]):
                    points.append({
                        "stage": stage, "step": line["step"], "bytes": now[0], "targets": now[1], "seconds": now[2],
                        "multiply_adds": now[1] * weights_per_token(config)})
                points[-1][line["set"]] = line["bits_per_byte"]
    return points


def at_compute(points, compute):
    """Held-out Chinese after so many multiply-adds: between two points a straight line."""
    for before, after in zip(points, points[1:]):
        span = after["multiply_adds"] - before["multiply_adds"]
        if span > 0 and before["multiply_adds"] <= compute <= after["multiply_adds"]:
            share = (compute - before["multiply_adds"]) / span
            return before["zh"] + share * (after["zh"] - before["zh"])
    return points[-1]["zh"] if points and compute >= points[-1]["multiply_adds"] else None


def generated(path):
    """Texts that the arm wrote, as `kuoci generate` gave them."""
    return [{"prompt": line["prompt"], "text": line["text"], "tokens": len(line["ids"])} for line in objects(path)]


def run(study, arm, seed):
    """One arm with one seed, or None where it has not been run to its end."""
    directory = study.out / "runs" / arm.name.replace(" ", "-") / str(seed)
    if not (directory / "evaluation.json").exists():
        return None
    config = json.loads((study.start(arm) / "config.json").read_text())
    final = {line["set"]: line["bits_per_byte"] for line in json.loads((directory / "evaluation.json").read_text())}
    points = curve(directory, config)
    return {
        "arm": arm.name, "question": arm.question, "seed": seed, "directory": str(directory), "entries": config["vocab_size"],
        "points": points, "zh": final["zh"], "en": final["en"],
        "targets_per_second": points[-1]["targets"] / points[-1]["seconds"] if points[-1]["seconds"] else None,
        "generated": generated(directory / "generation.json"),
    }


def tokenizer(study, arm):
    """Tokens a character of held-out Chinese and English, and English texts that are cut otherwise than by the base."""
    if arm.policy == "base":
        first = study.tokenizer(next(other for other in study.arms if other.policy != "base"))
        path, index = study.out / "measures" / f"{first.name}.json", 0
    else:
        path, index = study.out / "measures" / f"{study.tokenizer(arm).name}.json", 1
    zh, en = (text["tokenizers"][index] for text in json.loads(path.read_text())[:2])
    english = json.loads(path.read_text())[1]
    return {
        "arm": arm.name, "file": str(path), "zh_tokens_per_character": zh["tokens_per_character"],
        "en_tokens_per_character": en["tokens_per_character"], "en_texts": english["texts"],
        "en_changed": en["changed_texts"]}


def collect(study):
    runs = [found for seed in study.scale.seeds for arm in study.arms if (found := run(study, arm, seed))]
    base = objects(study.out / "base/log.jsonl")
    last = {line["set"]: line["bits_per_byte"] for line in base if line["event"] == "evaluation"}
    # The least that any arm took: there all can be compared.
    compute = min((found["points"][-1]["multiply_adds"] for found in runs if "mix" not in found["question"]), default=0)
    for found in runs:
        found["zh_at_compute"] = at_compute(found["points"], compute)
    return {
        "scale": study.scale.name, "base": last, "compute": compute, "runs": runs,
        "tokenizers": [tokenizer(study, arm) for arm in study.arms]}
