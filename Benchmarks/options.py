"""What the benchmarks of trainers and encoding take, and the texts that they read."""

import argparse
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, of which the median counts")
    return parser.parse_args()


def texts(shared, pattern):
    """The Chinese of the main job, or the shared corpora of that pattern, or the committed samples."""
    main_job = ROOT / "out/corpus/zh.txt"
    if main_job.exists():
        return [main_job]
    return sorted((shared / "corpora").glob(pattern)) or sorted((ROOT / "corpora").glob("sample" + pattern))
