"""What the study compares: its sizes, in full and in small, and its arms, each one change away from the default."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """How large a study is."""

    name: str
    # A config.json in this directory, or a preset of kuoci init.
    base: str
    # How the base is trained on English: a kuoci option and its number.
    base_length: tuple
    base_batch: int
    base_rate: str
    # Of the Chinese text one document in so many is trained on; of the held-out texts one is measured along the way, and at
    # the end.
    text_share: int
    measured_share: int
    final_share: int
    rows: int
    sizes: tuple
    # Pieces that are learned for `rows` new ones: by append, which takes the first, and by harmless, which takes the best.
    appended: float
    learned: float
    batch: int
    block: int
    evaluate_every: int
    # Peak learning rates of the two stages.
    rates: tuple
    seeds: tuple
    generated: int
    # Or only those that decide.
    all_arms: bool = True


SCALES = {
    # Two hours on two cores.
    "full": Scale(
        name="full", base="full.json", base_length=("--steps", 1000), base_batch=4, base_rate="1.5e-3", text_share=28,
        measured_share=16, final_share=5, rows=17953, sizes=(5000, 10000), appended=24 / 18, learned=40000 / 17953, batch=4, block=256,
        evaluate_every=30, rates=(2e-3, 2e-3), seeds=(1, 2, 3), generated=96),
    # Whether what decides in full holds for a base of twice the weights that has read all the English text: 100 minutes on
    # two cores with AVX-512.
    "large": Scale(
        name="large", base="large.json", base_length=("--epochs", 1), base_batch=8, base_rate="1e-3", text_share=28,
        measured_share=16, final_share=5, rows=17953, sizes=(), appended=24 / 18, learned=40000 / 17953, batch=4, block=256,
        evaluate_every=30, rates=(1e-3, 1e-3), seeds=(1, 2, 3), generated=96, all_arms=False),
    "small": Scale(
        name="small", base="nano", base_length=("--steps", 150), base_batch=8, base_rate="3e-3", text_share=40,
        measured_share=8, final_share=1, rows=6000, sizes=(2000,), appended=1.7, learned=2.0, batch=4, block=256, evaluate_every=25,
        rates=(3e-3, 3e-3), seeds=(1,), generated=64),
}


@dataclasses.dataclass(frozen=True)
class Arm:
    """One way from the base to a model that reads Chinese; the values here are the default's."""

    name: str
    # What it is compared for.
    question: str
    # base (no new pieces), append-unigram, append-bpe, harmless or continued.
    policy: str = "harmless"
    # New rows; None: as many as the scale says.
    rows: int | None = None
    start: str = "subword-mean"
    # Stage 1: off, input or both (new rows), paper (all rows of the input side).
    stage1: str = "both"
    # The rows of embedding and head that stage 2 trains beside LoRA.
    stage2_rows: str = "new"
    # A fifth of what is trained on is English.
    mixed: bool = False
    # Times the scale's learning rates.
    rate: float = 1.0
    # Whether all seeds are run.
    decides: bool = False


DEFAULT = Arm("harmless", "policy", decides=True)
# What docs/results.md recommends, and `kuoci advise` counts by.
RECOMMENDED = "all rows, as the paper"


def arms(scale):
    """Every arm of a study, the default first; the paper's recipe is the one that the rest of the field runs."""
    found = [
        DEFAULT,
        Arm("base tokenizer", "policy", policy="base", stage1="off", stage2_rows="all", decides=True),
        Arm("append, unigram", "policy", policy="append-unigram", decides=True),
        Arm("append, BPE", "policy", policy="append-bpe"),
        Arm("continued", "policy", policy="continued"),
    ]
    found += [Arm(f"{rows:,} rows", "size", rows=rows) for rows in scale.sizes]
    found += [Arm(start, "start", start=start) for start in ("normal", "mean", "neighbours")]
    found += [
        Arm("no stage 1", "stage 1", stage1="off"),
        Arm("input side alone", "stage 1", stage1="input"),
        Arm("all rows, as the paper", "stage 1", stage1="paper", stage2_rows="all", decides=True),
        Arm("all rows in stage 2", "stage 1", stage2_rows="all"),
        # As the paper's later models were made.
        Arm("no stage 1, all rows", "stage 1", stage1="off", stage2_rows="all", decides=True),
        Arm("80 : 20 with English", "mixture", mixed=True),
        Arm("no stage 1, all rows, 80 : 20", "mixture", stage1="off", stage2_rows="all", mixed=True, decides=True),
        Arm("twice the rate", "rate", rate=2.0),
        Arm("half the rate", "rate", rate=0.5),
        Arm("a quarter of the rate", "rate", rate=0.25),
        # Whether the answers hang on the rate.
        Arm("half the rate, base tokenizer", "rate", policy="base", stage1="off", stage2_rows="all", rate=0.5),
        Arm("half the rate, all rows, as the paper", "rate", stage1="paper", stage2_rows="all", rate=0.5),
    ]
    return [arm for arm in found if arm.decides or scale.all_arms]


# What the README shows.
HEADLINE = (
    "base tokenizer", "harmless", "all rows, as the paper", "no stage 1, all rows", "no stage 1, all rows, 80 : 20")

QUESTIONS = {
    "policy": "How the vocabulary is made",
    "size": "How many rows",
    "start": "How new rows start",
    "stage 1": "Which rows train, and when",
    "mixture": "English in the mixture",
    "rate": "Learning rate",
}


def compared(all_arms, question):
    """The arms that answer a question; the default stands beside the others."""
    return [arm for arm in all_arms if arm.question == question or arm == DEFAULT]
