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


COLUMNS = [
    "", "tokens a character, zh", "English texts changed", "zh before training", "zh, same text", "zh, same computing", "en after",
    "tokens/s in training", "characters/s written"]


def median(values, digits=0):
    values = [value for value in values if value is not None]
    return f"{statistics.median(values):.{digits}f}" if values else "–"


def table(results, question):
    """The arms that answer a question, or, for "deciding", those that decide, a line each; empty where there are not two."""
    arms = plan.arms(plan.SCALES[results["scale"]])
    arms = [arm for arm in arms if arm.decides] if question == "deciding" else plan.compared(arms, question)
    tokenizers = {line["arm"]: line for line in results["tokenizers"]}
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    for arm in arms:
        runs = [run for run in results["runs"] if run["arm"] == arm.name]
        if not runs or arm.name not in tokenizers:
            continue
        cut = tokenizers[arm.name]
        # By what is usual in the text: models of this size write some piece over and over.
        written = [
            run["tokens_per_second_written"] / cut["zh_tokens_per_character"] for run in runs if run["tokens_per_second_written"]]
        cells = [
            arm.name, f"{cut['zh_tokens_per_character']:.3f}", f"{cut['en_changed']} of {cut['en_texts']}",
            f"{runs[0]['points'][0]['zh']:.3f}", spread([run["zh"] for run in runs]),
            spread([run["zh_at_compute"] for run in runs]), spread([run["en"] for run in runs]),
            median([run["targets_per_second"] for run in runs]), median(written)]
        lines.append("| " + " | ".join(cells) + " |")
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

    def compared(first, second, key):
        return below(mean(results, first, key), mean(results, second, key))
    lines = {line["arm"]: line for line in results["tokenizers"]}
    default, paper = plan.DEFAULT.name, "all rows, as the paper"

    policies = ("append, unigram", "append, BPE", "harmless", "continued")
    cut = {arm: lines[arm]["zh_tokens_per_character"] for arm in policies if arm in lines}
    changed = {arm: lines[arm]["en_changed"] for arm in policies if arm in lines}
    are_all_there = len(cut) == len(policies)
    return [
        ("harmless and continued change no English text, append does",
         changed["harmless"] == changed["continued"] == 0 < min(changed["append, unigram"], changed["append, BPE"])
         if are_all_there else None),
        ("harmless takes fewer tokens for Chinese than either append of its size",
         cut["harmless"] < min(cut["append, unigram"], cut["append, BPE"]) if are_all_there else None),
        ("after the same computing the extended vocabulary reads Chinese better than the base's own",
         compared(default, "base tokenizer", "zh_at_compute")),
        ("on the same text too", compared(default, "base tokenizer", "zh")),
        ("with all rows trained, as in the paper, it does on the same text", compared(paper, "base tokenizer", "zh")),
        ("English suffers less than where the base's own vocabulary learns Chinese", compared(default, "base tokenizer", "en")),
        ("all rows trained learn more Chinese than the new ones alone", compared(paper, default, "zh")),
        ("and lose more English", compared(default, paper, "en")),
        ("without stage 1, all the text in stage 2, Chinese ends better", compared("no stage 1", default, "zh")),
        ("with all rows too", compared("no stage 1, all rows", paper, "zh")),
        ("subword-mean starts better than mean", below(start(results, default), start(results, "mean"))),
        ("and ends better", compared(default, "mean", "zh")),
        ("a fifth of English in the mixture keeps English better", compared("80 : 20 with English", default, "en")),
        ("all rows in one stage with that fifth read Chinese better than the base's own vocabulary, on the same text",
         compared("no stage 1, all rows, 80 : 20", "base tokenizer", "zh")),
        ("and lose less English", compared("no stage 1, all rows, 80 : 20", "base tokenizer", "en")),
        ("with half the rate new rows read Chinese better", compared("half the rate", default, "zh")),
        ("and lose less English than with the whole rate", compared("half the rate", default, "en")),
        ("all rows as in the paper beat the base's own vocabulary on the same text at half the rate too",
         compared("half the rate, all rows, as the paper", "half the rate, base tokenizer", "zh")),
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
