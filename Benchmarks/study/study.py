"""Does a larger vocabulary help? The study behind docs/results.md: `make study`, or `make study STUDY=small`.

From one base model, trained on English here, each arm of plan.py goes its way to Chinese: on the same Chinese text, so that
all have seen the same bytes at the end, and with a constant learning rate after warm-up, so that any point of a run can be
compared with any point of another, equal compute among them. Whatever is done already is not done again.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re

import plan
import tables
from measures import collect
from steps import Steps

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Pieces as LLaMA's vocabulary has them.
FLAGS = ["--character-coverage", "0.9995", "--normalization-rule-name", "identity", "--byte-fallback", "true",
         "--split-digits", "true", "--allow-whitespace-only-pieces", "true", "--progress", "none"]
MIXED = ["--split-by-unicode-script", "false"]
PROMPTS = ["人工智能", "在这个目录里，", "如果您想要安装", "The following command"]


class Study:
    def __init__(self, options):
        self.scale = plan.SCALES[options.scale]
        self.corpus = pathlib.Path(options.corpus)
        self.base_tokenizer = options.base
        self.out = pathlib.Path(options.out) / self.scale.name
        self.steps = Steps(options.kuoci, self.out)
        self.jobs = options.jobs
        self.threads = ["--threads", max(1, (os.cpu_count() or 1) // self.jobs)]
        self.arms = [arm for arm in plan.arms(self.scale) if not options.arms or arm.name in options.arms.split(";")]

    # Texts

    def text(self, name):
        return self.out / "text" / f"{name}.txt"

    def write_texts(self):
        """The Chinese text of both stages, three tenths and seven tenths, and what is measured along the way."""
        self.text("zh").parent.mkdir(parents=True, exist_ok=True)
        lines = (self.corpus / "zh.txt").read_bytes().splitlines(keepends=True)[::self.scale.text_share]
        total, seen, border = sum(map(len, lines)), 0, 0
        while seen < 0.3 * total:
            seen += len(lines[border])
            border += 1
        for name, part in [("zh", lines), ("zh.1", lines[:border]), ("zh.2", lines[border:])]:
            write_if_new(self.text(name), b"".join(part))
        for language in ("zh", "en"):
            lines = (self.corpus / f"{language}.heldout.txt").read_bytes().splitlines(keepends=True)
            write_if_new(self.text(f"{language}.measured"), b"".join(lines[::self.scale.measured_share]))
            write_if_new(self.text(f"{language}.final"), b"".join(lines[::self.scale.final_share]))

    def measured(self):
        return ["--heldout", f"zh={self.text('zh.measured')}", f"en={self.text('en.measured')}"]

    def pretrain(self, name, out, *words):
        self.steps.run(
            name, "pretrain", *words, "--out", out, *self.measured(), "--cache", self.out / "tokens", "--batch-size",
            self.scale.batch, "--block-size", self.scale.block, "--evaluate-every", self.scale.evaluate_every, "--save-every",
            self.scale.evaluate_every, resumable=True)

    # What all arms share

    def make_base(self):
        kind = "--config" if self.scale.base.endswith(".json") else "--preset"
        base = HERE / self.scale.base if kind == "--config" else self.scale.base
        self.steps.run("init", "init", kind, base, "--tokenizer", self.base_tokenizer, "--out", self.out / "init", "--seed", 1)
        self.steps.run(
            "base", "pretrain", "--stage", "full", "--model", self.out / "init", "--text", self.corpus / "en.txt",
            *self.measured(), "--out", self.out / "base", *self.scale.base_length, "--block-size", self.scale.block,
            "--batch-size", self.scale.base_batch, "--learning-rate", self.scale.base_rate, "--minimum-learning-rate-ratio", 0.1,
            "--warmup-ratio", 0.05, "--weight-decay", 0.1, "--evaluate-every", 200, "--save-every", 50, "--seed", 1,
            "--cache", self.out / "tokens", resumable=True)

    def vocabulary(self, policy):
        """The .model with the pieces that a policy merges."""
        count = self.scale.rows
        kinds = {
            "append-unigram": ["--model-type", "unigram", "--vocab-size", round(count * self.scale.appended)],
            "append-bpe": ["--model-type", "bpe", "--vocab-size", round(count * self.scale.appended)],
            "harmless": ["--model-type", "bpe", "--vocab-size", round(count * self.scale.learned), *MIXED],
            "continued": ["--model-type", "bpe", "--base-model", self.base_tokenizer, "--scripts", "Han", "--new-pieces",
                          round(count * 20 / 18), *MIXED],
        }
        prefix = self.out / "vocabularies" / policy
        prefix.parent.mkdir(parents=True, exist_ok=True)
        self.steps.run(
            f"vocabulary {policy}", "train", "--input", self.corpus / "zh.txt", "--model-prefix", prefix, *FLAGS, *kinds[policy],
            "--force")
        return f"{prefix}.model"

    def tokenizer(self, arm):
        """The merged tokenizer of an arm, or the base's."""
        if arm.policy == "base":
            return self.base_tokenizer
        rows = arm.rows or self.scale.rows
        out = self.out / "tokenizers" / f"{arm.policy}-{rows}"
        kind = "append" if arm.policy.startswith("append") else arm.policy
        best = [] if kind == "append" else ["--corpus", self.corpus / "zh.txt"]
        self.steps.run(
            f"merge {out.name}", "merge", "--policy", kind, "--base", self.base_tokenizer, "--add", self.vocabulary(arm.policy),
            "--size", 32000 + rows, *best, "--check-text", self.corpus / "en.heldout.txt", "--out", out)
        return out

    def start(self, arm):
        """The checkpoint that an arm's training starts from."""
        if arm.policy == "base":
            return self.out / "base/model"
        tokenizer = self.tokenizer(arm)
        out = self.out / "starts" / f"{tokenizer.name}-{arm.start}"
        text = ["--init-text", self.text("zh")] if arm.start == "neighbours" else []
        self.steps.run(
            f"resize {out.name}", "resize", "--model", self.out / "base/model", "--tokenizer", tokenizer, "--init", arm.start,
            *text, "--out", out)
        return out

    # The arms

    def trained_on(self, arm, part):
        """A part of the Chinese text, once over; where English is mixed in, four blocks of it to one of English."""
        if arm.mixed:
            return ["--mix", f"zh=0.8:{self.text(part)}", f"en=0.2:{self.corpus / 'en.txt'}"]
        return ["--text", self.text(part)]

    def directory(self, arm, seed):
        return self.out / "runs" / re.sub("[^a-z0-9]+", "-", arm.name.lower()) / str(seed)

    def run_arm(self, arm, seed):
        name = f"{arm.name}, seed {seed}"
        directory = self.directory(arm, seed)
        directory.mkdir(parents=True, exist_ok=True)
        model, rates = self.start(arm), [rate * arm.rate for rate in self.scale.rates]
        common = ["--epochs", 1, "--schedule", "constant", "--warmup-ratio", 0.05, "--seed", seed]
        if arm.stage1 != "off":
            rows = ["--train-rows", "all" if arm.stage1 == "paper" else "new", "--first-new-row", 32000, "--train-sides",
                    "both" if arm.stage1 == "both" else "input"]
            self.pretrain(
                f"{name}, stage 1", directory / "stage1", "--stage", "embeddings", "--model", model, *self.trained_on(arm, "zh.1"),
                *common, "--learning-rate", rates[0], *rows, *self.threads)
            model = directory / "stage1/model"
        rows = ["--train-rows", arm.stage2_rows, *(["--first-new-row", 32000] if arm.stage2_rows == "new" else [])]
        self.pretrain(
            f"{name}, stage 2", directory / "stage2", "--stage", "lora", "--model", model,
            *self.trained_on(arm, "zh" if arm.stage1 == "off" else "zh.2"), *common, "--learning-rate", rates[1], *rows,
            "--lora-targets", "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj", *self.threads)
        trained = ["--model", model, "--adapter", directory / "stage2/adapter"]
        self.steps.run(
            f"{name}, evaluation", "evaluate", *trained, "--text", f"zh={self.text('zh.final')}",
            f"en={self.text('en.final')}", "--block-size", self.scale.block, "--format", "json", "--progress", "none",
            *self.threads, output=directory / "evaluation.json")
        if seed == self.scale.seeds[0]:
            prompts = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
            self.steps.run(
                f"{name}, generation", "generate", *trained, *prompts, "--max-new-tokens", self.scale.generated,
                "--min-new-tokens", self.scale.generated, "--batch-size", 1, "--format", "json", *self.threads,
                output=directory / "generation.json", diagnostics=directory / "generation.log")

    def measure_tokenizers(self):
        """Tokens a character, and how many English texts are cut otherwise, by each tokenizer."""
        tokenizers = [self.tokenizer(arm) for arm in self.arms if arm.policy != "base"]
        for tokenizer in dict.fromkeys(tokenizers):
            self.steps.run(
                f"measure {tokenizer.name}", "measure", "--tokenizer", self.base_tokenizer, "--tokenizer", tokenizer, "--text",
                self.corpus / "zh.heldout.txt", self.corpus / "en.heldout.txt", "--format", "json",
                output=self.out / "measures" / f"{tokenizer.name}.json")

    def run(self):
        self.write_texts()
        self.make_base()
        self.measure_tokenizers()
        # A whole round of the arms, then the further seeds: whoever stops early has compared all.
        trials = [(arm, seed) for seed in self.scale.seeds for arm in self.arms if arm.decides or seed == self.scale.seeds[0]]
        for arm in self.arms:
            self.start(arm)
        # Several at once, a thread each, get more done than one with all threads; bytes do not depend on threads.
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            ended = [pool.submit(self.run_arm, *trial) for trial in trials]
            try:
                for future in concurrent.futures.as_completed(ended):
                    future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def write_if_new(path, contents):
    """Leaves a file as it is, with its time, where it says the same already."""
    if not (path.exists() and path.read_bytes() == contents):
        path.write_bytes(contents)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--scale", choices=plan.SCALES, default="full")
    parser.add_argument("--corpus", default=str(ROOT / "out/corpus"), help="what kuoci corpus wrote")
    parser.add_argument("--base", default=str(ROOT / ".deps/base/tokenizer.model"), help="the base's tokenizer.model")
    parser.add_argument("--out", default=str(ROOT / "out/study"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="arms that are trained at the same time")
    parser.add_argument("--arms", help="only these, by name, with ; between them")
    parser.add_argument("--expect", help="results.json of an earlier study whose conclusions must come again")
    parser.add_argument("--tables", action="store_true", help="only make the tables anew from what there is")
    return parser.parse_args()


def main():
    options = arguments()
    # Whole paths: a step is done when its command was run, from wherever.
    for name in ("kuoci", "corpus", "base", "out"):
        setattr(options, name, os.path.abspath(getattr(options, name)))
    study = Study(options)
    if not options.tables:
        study.run()
    results = collect(study)
    (study.out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = tables.page(results)
    (study.out / "results.md").write_text(text, encoding="utf-8")
    print(text)
    if options.expect and os.path.exists(options.expect):
        compare(results, json.loads(pathlib.Path(options.expect).read_text(encoding="utf-8")), options.expect)


def compare(results, expected, path):
    """Ends with 1 where the conclusions are not those of an earlier study."""
    before = dict(tables.conclusions(expected))
    # What the earlier study had not run, it does not contradict.
    other = [(statement, answer) for statement, answer in tables.conclusions(results)
             if before.get(statement) not in (None, answer)]
    for statement, answer in other:
        print(f"other than in {path}: {statement}: {answer}, before {before[statement]}")
    if other:
        raise SystemExit(1)
    print(f"the conclusions are those of {path}")


if __name__ == "__main__":
    main()
