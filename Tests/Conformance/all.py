"""Runs every comparison with the peers and totals their lines: `make conformance`."""

import pathlib
import subprocess
import sys
import time

SCRIPTS = ("text.py", "encoding.py", "formats.py", "trainings.py", "merging.py", "checkpoints.py", "unsound.py", "mutations.py",
    "gguf_models.py", "adapters.py", "training.py", "events.py", "ranks.py", "generation.py", "lint.py")


def run(script, parameters, totals):
    print(f"== {script.name}", flush=True)
    process = subprocess.Popen(
        [sys.executable, str(script), *parameters], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    failed_lines = 0
    start = time.monotonic()
    for line in process.stdout:
        print(line, end="", flush=True)
        word = line.split(" ", 1)[0]
        if word in totals:
            totals[word] += 1
            failed_lines += word == "FAILED"
    # A script that dies without a FAILED line has failed all the same.
    if process.wait() != 0 and failed_lines == 0:
        print(f"FAILED {script.name}: ended with {process.returncode}", flush=True)
        totals["FAILED"] += 1
    print(f"== {script.name}: {time.monotonic() - start:.0f} s", flush=True)


def main():
    here = pathlib.Path(__file__).resolve().parent
    totals = {"ok": 0, "FAILED": 0, "skipped": 0}
    for name in SCRIPTS:
        if (here / name).exists():
            run(here / name, sys.argv[1:], totals)
        else:
            print(f"skipped {name}: there is no such script", flush=True)
            totals["skipped"] += 1
    print(f"conformance: {totals['ok']} ok, {totals['FAILED']} failed, {totals['skipped']} skipped", flush=True)
    sys.exit(1 if totals["FAILED"] else 0)


if __name__ == "__main__":
    main()
