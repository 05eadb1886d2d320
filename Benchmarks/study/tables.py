"""The study's tables, in Markdown, from results.json alone."""

import statistics

import plan


def spread(values):
    """The mean, and from two values on the standard deviation."""
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    text = f"{statistics.mean(values):.3f}"
    return text + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


def table(results, question):
    arms = plan.compared(plan.arms(plan.SCALES[results["scale"]]), question)
    tokenizers = {line["arm"]: line for line in results["tokenizers"]}
    lines = [
        "| | tokens a character, zh | English texts changed | zh before training | zh, same bytes | zh, same compute | "
        "en after | targets/s |", "|---|---|---|---|---|---|---|---|"]
    for arm in arms:
        runs = [run for run in results["runs"] if run["arm"] == arm.name]
        if not runs or arm.name not in tokenizers:
            continue
        cut = tokenizers[arm.name]
        lines.append(
            f"| {arm.name} | {cut['zh_tokens_per_character']:.3f} | {cut['en_changed']} of {cut['en_texts']} | "
            f"{spread([run['points'][0]['zh'] for run in runs])} | {spread([run['zh'] for run in runs])} | "
            f"{spread([run['zh_at_compute'] for run in runs])} | {spread([run['en'] for run in runs])} | "
            f"{statistics.median(run['targets_per_second'] for run in runs):.0f} |")
    return lines if len(lines) > 3 else []


def mean(results, arm, key):
    values = [run[key] for run in results["runs"] if run["arm"] == arm and run[key] is not None]
    return statistics.mean(values) if values else None


def start(results, arm):
    return next((run["points"][0]["zh"] for run in results["runs"] if run["arm"] == arm), None)


def conclusions(results):
    """Statements that the figures decide, each with its answer: (statement, True, False or None where nothing was run)."""
    def below(first, second):
        return None if first is None or second is None else first < second
    changed = {line["arm"]: line["en_changed"] for line in results["tokenizers"]}
    default = plan.DEFAULT.name
    return [
        ("harmless changes no English text", changed.get(default) == 0 if default in changed else None),
        ("append changes English texts", changed.get("append, BPE", 0) > 0 if "append, BPE" in changed else None),
        ("at the same compute the extended vocabulary reads Chinese better than the base's own",
         below(mean(results, default, "zh_at_compute"), mean(results, "base tokenizer", "zh_at_compute"))),
        ("on the same bytes too", below(mean(results, default, "zh"), mean(results, "base tokenizer", "zh"))),
        ("subword-mean starts better than mean", below(start(results, default), start(results, "mean"))),
        ("subword-mean starts better than normal", below(start(results, default), start(results, "normal"))),
        ("English is kept better where only new rows train than with all rows, as in the paper",
         below(mean(results, default, "en"), mean(results, "all rows, as the paper", "en"))),
        ("a fifth of English in the mixture keeps English better",
         below(mean(results, "80 : 20 with English", "en"), mean(results, default, "en"))),
    ]


def page(results):
    base = results["base"]
    lines = [
        f"Bits per byte on held-out text; the base has {base['zh']:.3f} on Chinese and {base['en']:.3f} on English. "
        "± is the standard deviation over seeds.", ""]
    for question, title in plan.QUESTIONS.items():
        found = table(results, question)
        if found:
            lines += [f"### {title}", "", *found, ""]
    lines += ["### Conclusions", ""]
    answers = {True: "yes", False: "no", None: "not run"}
    lines += [f"- {statement}: **{answers[answer]}**" for statement, answer in conclusions(results)]
    return "\n".join(lines) + "\n"
