"""Puts what the study found into the documentation: docs/results.md, docs/results/, and the curve that `kuoci advise` uses.

Each figure in docs/results.md stands between marks, as <!--=full.base.zh|3-->2.345<!--/-->, or is a block between
<!--begin full.policy--> and <!--end-->; both are written anew from docs/results/SCALE.json. With --check nothing is
written: the texts must be what these files give.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess

import plan
import tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/results.md"
FOLDER = ROOT / "docs/results"
CURVE = ROOT / "Sources/Commands/Study/payoff.json"
# What the documents show of each comparison, and of which.
PLOTS = ["zh-bits-per-byte-by-computing", "zh-against-en"]
SHOWN = {"full": ["headline", "policy", "stage-1", "mixture"], "large": ["headline"], "small": []}


def shortened(value):
    """Numbers with six digits: what comes after them differs between processors."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return [shortened(item) for item in value] if isinstance(value, list) else value


def crossing(extended, base):
    """The first point of a curve from which on it lies below the other at the same computing; None where there is none."""
    def at(points, operations):
        for before, after in zip(points, points[1:]):
            if before["operations"] <= operations <= after["operations"] and after["operations"] > before["operations"]:
                share = (operations - before["operations"]) / (after["operations"] - before["operations"])
                return before["zh"] + share * (after["zh"] - before["zh"])
        return None
    ahead = [(point, at(base, point["operations"])) for point in extended if point["operations"] > 0]
    found = None
    for point, other in ahead:
        if other is None:
            continue
        if point["zh"] > other:
            found = None
        elif found is None:
            found = point
    return found


def payoff(results):
    """From when on the extended vocabulary pays, in the first seed of the study."""
    def points(arm):
        return next(run for run in results["runs"] if run["arm"] == arm)["points"]
    tokenizers = {line["arm"]: line for line in results["tokenizers"]}
    recommended = plan.RECOMMENDED
    extended = points(recommended)
    found = crossing(extended, points("base tokenizer"))
    return {
        "study": results["scale"], "parameters": results["base"]["parameters"],
        "rows": next(run for run in results["runs"] if run["arm"] == recommended)["entries"] - 32000,
        "tokens_per_character": tokenizers[recommended]["zh_tokens_per_character"],
        "paid_off": found and {key: found[key] for key in ("bytes", "targets", "operations")},
        "trained": {key: extended[-1][key] for key in ("bytes", "targets", "operations")},
    }


def looked_up(everything, path):
    """The value of a path such as full.harmless.zh: the mean over seeds; of full.base.zh: of the base."""
    scale, name, key = path.split(".")
    results = everything.get(scale)
    if results is None:
        return None
    if name == "study":
        return results[key]
    if name == "base":
        return results["base"][key]
    line = next((line for line in results["tokenizers"] if line["arm"] == name and key in line), None)
    return line[key] if line else tables.mean(results, name, key)


def conclusions(everything):
    answers = {True: "yes", False: "no", None: "not run"}
    columns = {scale: dict(tables.conclusions(results)) for scale, results in everything.items()}
    lines = ["| | " + " | ".join(f"{scale} study" for scale in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for statement in next(iter(columns.values())):
        lines.append(f"| {statement} | " + " | ".join(answers[column[statement]] for column in columns.values()) + " |")
    return lines


def block(everything, name):
    if name == "conclusions":
        return conclusions(everything)
    scale, question = name.split(".")
    if scale not in everything:
        return ["Not run to its end yet."]
    if question == "samples":
        return samples(everything[scale])
    return tables.table(everything[scale], question.replace("-", " "))


def samples(results):
    """What the base and the default wrote to the first prompt."""
    lines = []
    for run in results["runs"]:
        if run["generated"] and run["seed"] == 1 and run["question"] == "policy":
            text = " ".join(run["generated"][0]["text"].split())
            lines.append(f"- {run['arm']}: {run['generated'][0]['prompt']}**{text[:80]}**")
    return lines


def page(text, everything):
    def value(match):
        path, digits = match[1].rsplit("|", 1)
        found = looked_up(everything, path)
        return f"<!--={match[1]}-->{'not run' if found is None else format(found, f',.{digits}f')}<!--/-->"

    def lines(match):
        return "\n".join([f"<!--begin {match[1]}-->", *block(everything, match[1]), "<!--end-->"])
    text = re.sub(r"<!--=([^>]*?)-->.*?<!--/-->", value, text)
    return re.sub(r"<!--begin ([^>]*?)-->\n.*?<!--end-->", lines, text, flags=re.DOTALL)


def draw(kuoci, out, scale):
    """The plots of each question, by `kuoci report`."""
    every = plan.arms(plan.SCALES[scale])
    comparisons = [(question, title, plan.compared(every, question)) for question, title in plan.QUESTIONS.items()]
    comparisons.append(("headline", "A larger vocabulary or not", [arm for arm in every if arm.name in plan.HEADLINE]))
    for question, title, arms in comparisons:
        ways = [f"{arm.name}={path}" for arm in arms if (path := directory(out, arm)).joinpath("evaluation.json").exists()]
        if len(ways) < 2:
            continue
        name = question.replace(" ", "-")
        subprocess.run(
            [kuoci, "report", "--title", title, "--compare", *ways, "--plots", out / "plots" / name,
             "--out", out / f"{name}.html", "--force"], check=True)
        # The rest is looked at on the pages alone.
        for plot in PLOTS if name in SHOWN[scale] else []:
            shutil.copy(out / "plots" / name / f"{plot}.svg", FOLDER / f"{scale}-{name}-{plot}.svg")


def directory(out, arm):
    return out / "runs" / re.sub("[^a-z0-9]+", "-", arm.name.lower()) / "1"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--out", default=str(ROOT / "out/study"), help="where the study wrote")
    parser.add_argument("--scale", choices=plan.SCALES, action="append", default=[], help="take over this study's results")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the texts are not of the files")
    return parser.parse_args()


def main():
    options = arguments()
    FOLDER.mkdir(exist_ok=True)
    for scale in options.scale:
        out = pathlib.Path(options.out) / scale
        results = shortened(json.loads((out / "results.json").read_text(encoding="utf-8")))
        (FOLDER / f"{scale}.json").write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        draw(options.kuoci, out, scale)
    everything = {
        scale: json.loads((FOLDER / f"{scale}.json").read_text(encoding="utf-8"))
        for scale in plan.SCALES if (FOLDER / f"{scale}.json").exists()}
    best = everything.get("full", everything["small"])
    texts = {
        PAGE: page(PAGE.read_text(encoding="utf-8"), everything),
        CURVE: json.dumps(payoff(best), indent=1) + "\n",
    }
    for path, text in texts.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{path.relative_to(ROOT)}: is not what docs/results gives; run Benchmarks/study/publish.py")


if __name__ == "__main__":
    main()
