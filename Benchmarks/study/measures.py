"""What the runs of the study wrote, gathered: every figure of the tables comes from here, with the file that it stands in."""

import json
import re
import statistics


def objects(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def results(directory):
    """What the kuoci.json of a finished run says of its results."""
    return json.loads((directory / "kuoci.json").read_text(encoding="utf-8"))["results"]


def curve(directory):
    """Points of an arm's run over both stages: text, computing and time so far, and bits per byte of what is held out."""
    points = []
    now = {"bytes": 0, "targets": 0, "seconds": 0.0, "operations": 0.0}
    for stage in ("stage1", "stage2"):
        if not (directory / stage).exists():
            continue
        times = {line["step"]: line["seconds"] for line in objects(directory / stage / "timing.jsonl")}
        operations = results(directory / stage)["operations_per_token"]
        at = {0: dict(now)}
        for line in objects(directory / stage / "log.jsonl"):
            if line["event"] == "step":
                now["bytes"] += line["bytes"]
                now["targets"] += line["targets"]
                now["seconds"] += times.get(line["step"], 0)
                now["operations"] += line["targets"] * operations
                at[line["step"]] = dict(now)
            elif line["event"] == "evaluation":
                if not points or (points[-1]["stage"], points[-1]["step"]) != (stage, line["step"]):
                    points.append({"stage": stage, "step": line["step"], **at[line["step"]]})
                points[-1][line["set"]] = line["bits_per_byte"]
    return points


def speed(directory):
    """Tokens a second of the step in the middle: other work on the machine slows some steps down."""
    found = [line["targets_per_second"] for stage in ("stage1", "stage2") for line in objects(directory / stage / "timing.jsonl")]
    return statistics.median(found) if found else None


def at_compute(points, compute):
    """Held-out Chinese after so many operations: between two points a straight line."""
    for before, after in zip(points, points[1:]):
        span = after["operations"] - before["operations"]
        if span > 0 and before["operations"] <= compute <= after["operations"]:
            share = (compute - before["operations"]) / span
            return before["zh"] + share * (after["zh"] - before["zh"])
    return points[-1]["zh"] if points and compute >= points[-1]["operations"] else None


def generated(directory):
    """Texts that the arm wrote, as `kuoci generate` gave them, and how many tokens a second."""
    texts = [
        {"prompt": line["prompt"], "text": line["text"], "tokens": len(line["ids"])}
        for line in objects(directory / "generation.json")]
    log = directory / "generation.log"
    rate = re.search(r"([0-9.]+) tokens/s", log.read_text()) if log.exists() else None
    return texts, float(rate[1]) if rate else None


def run(study, arm, seed):
    """One arm with one seed, or None where it has not been run to its end."""
    directory = study.directory(arm, seed)
    if not (directory / "evaluation.json").exists():
        return None
    config = json.loads((study.start(arm) / "config.json").read_text())
    final = {line["set"]: line["bits_per_byte"] for line in json.loads((directory / "evaluation.json").read_text())}
    points = curve(directory)
    texts, rate = generated(directory)
    return {
        "arm": arm.name, "question": arm.question, "seed": seed, "directory": str(directory.relative_to(study.out)),
        "entries": config["vocab_size"], "points": points, "zh": final["zh"], "en": final["en"],
        "targets_per_second": speed(directory),
        "tokens_per_second_written": rate, "generated": texts,
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
        "arm": arm.name, "file": str(path.relative_to(study.out)), "zh_tokens_per_character": zh["tokens_per_character"],
        "en_tokens_per_character": en["tokens_per_character"], "en_texts": english["texts"],
        "en_changed": en["changed_texts"]}


def collect(study):
    runs = [found for seed in study.scale.seeds for arm in study.arms if (found := run(study, arm, seed))]
    base = {line["set"]: line["bits_per_byte"] for line in objects(study.out / "base/log.jsonl")
            if line["event"] == "evaluation"}
    ended = results(study.out / "base")
    account = objects(study.out / "base/log.jsonl")[0]["corpora"][0]
    # The least that any arm took: there all can be compared.
    compute = min((found["points"][-1]["operations"] for found in runs), default=0)
    for found in runs:
        found["zh_at_compute"] = at_compute(found["points"], compute)
    return {
        "scale": study.scale.name,
        "base": {
            **base, "bytes": account["bytes"], "epochs": account["epochs"], "parameters": ended["trainable_parameters"],
            "tensors_sha256": ended["tensors_sha256"]},
        "text_bytes": study.text("zh").stat().st_size, "compute": compute, "runs": runs,
        "tokenizers": [tokenizer(study, arm) for arm in study.arms]}
