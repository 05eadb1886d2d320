"""What else may befall the commands that write: part of `make torture`, beside crashes.py.

Two runs into one directory at the same time: one output is whole, and who did not make it is told. Inputs that are
shortened, changed or removed while they are read: told, or the output is that of the inputs as they were. A directory that
cannot be written, and a disk that is full: told in one sentence, and nothing left.
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from faults import ROOT, Failure, Inputs, build_shim, run, sentence, snapshot


def fresh(place, name, inputs):
    """A directory for one trial, beside a name that leads to the inputs."""
    trial = place / name / "trial"
    trial.mkdir(parents=True)
    (place / name / "inputs").symlink_to(inputs.place)
    return trial


def whole(program, words, place, inputs):
    trial = fresh(place, "whole-" + words[0] + str(len(words)), inputs)
    result = run(program, words, trial)
    if result.returncode != 0:
        raise Failure(f"the undisturbed run ended with {result.returncode}: {result.stderr.decode()}")
    return snapshot(trial)[0]


# Two at once


def check_two_at_once(program, place, inputs, shim, generator, times=40):
    """Both start together, or the second some moments later."""
    counts = collections.Counter()
    for force in ([], ["--force"]):
        words = inputs.commands()["resize"] + force
        reference = whole(program, words, place, inputs)
        for number in range(times):
            trial = fresh(place, f"two-{len(force)}-{number}", inputs)
            processes = []
            for _ in range(2):
                processes.append(subprocess.Popen([program, *words], cwd=trial, stdout=subprocess.DEVNULL,
                                                  stderr=subprocess.PIPE, text=True))
                time.sleep(generator.choice([0, generator.uniform(0, 0.05)]))
            endings = [(process.communicate()[1], process.returncode) for process in processes]
            files, hidden = snapshot(trial)
            losers = [text for text, code in endings if code == 1]
            if files != reference or hidden:
                raise Failure(f"{sorted(files)} and {hidden} are there after {endings}")
            for text in losers:
                if text.count("\n") != 1 or not ("another process is writing it" in text or "already exists" in text):
                    raise Failure(f"the other was told {text!r}")
            if [code for _, code in endings].count(0) != 2 - len(losers) or len(losers) == 2 or not (losers or force):
                raise Failure(f"they ended with {endings}")
            counts["told" if losers else "one after the other"] += 1
    return f"{2 * times} pairs of runs, one output whole each time; " + ", ".join(f"{k}: {v}" for k, v in counts.items())


# Inputs


def check_inputs(program, place, inputs, shim, generator):
    """At every call that changes the file system, something happens to one of the inputs."""
    counts = collections.Counter()
    # Those that kuoci.json names. What is only copied along is as it was when it was copied.
    victims = {
        "resize": ["model/model.safetensors", "model/config.json", "merged/tokenizer.model"],
        "export": ["model/model.safetensors", "adapter/adapter_model.safetensors", "adapter/adapter_config.json"],
    }
    for name, files in victims.items():
        words = inputs.commands()[name]
        reference = whole(program, words, place, inputs)
        log = place / f"{name}.log"
        run(program, words, fresh(place, "count-" + name, inputs), LD_PRELOAD=shim, KUOCI_FAULT_LOG=log)
        calls = len(log.read_text().splitlines())
        for file in files:
            # The large ones are read all the time, the others at two moments.
            step = 1 if file.endswith(".safetensors") else 4
            for kind in ("shorten", "change", "remove"):
                for number in range(1, calls + 1, step):
                    counts[harm(program, place, inputs, shim, words, file, kind, number, reference)] += 1
    return ", ".join(f"{counts[key]} {key}" for key in sorted(counts)) + " runs"


def harm(program, place, inputs, shim, words, file, kind, number, reference):
    home = place / "harmed"
    shutil.copytree(inputs.place, home / "inputs")
    trial = home / "trial"
    trial.mkdir()
    result = run(program, words, trial, LD_PRELOAD=shim, KUOCI_FAULT_AT=number, KUOCI_FAULT_KIND=kind,
                 KUOCI_FAULT_FILE=home / "inputs" / file)
    files, hidden = snapshot(trial)
    place_of_it = f"{words[0]}, {kind} of {file} at call {number}"
    if hidden:
        raise Failure(f"{place_of_it}: {hidden} were left")
    if result.returncode == 0:
        if files != reference:
            raise Failure(f"{place_of_it}: it ended well, with another output")
    else:
        try:
            sentence(result)
        except Failure as failure:
            raise Failure(f"{place_of_it}: ended with {result.returncode}, {failure}") from None
        if files or result.returncode not in (1, 65):
            raise Failure(f"{place_of_it}: ended with {result.returncode}, left {sorted(files)}")
    shutil.rmtree(home)
    return "whole" if result.returncode == 0 else "told"


# Disks


def mounted(program, words, trial, options):
    """The program, run with a small or read-only disk mounted at `disk`; then what is on it."""
    script = f'mount -t tmpfs -o {options} tmpfs disk && {{ "$@"; code=$?; ls -A disk >&3; exit $code; }} || exit'
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8") as listing:
        result = subprocess.run(
            ["unshare", "-rm", "sh", "-c", f"exec 3>&{writer}; {script}", "sh", program, *words], cwd=trial, pass_fds=[writer],
            capture_output=True)
        os.close(writer)
        return result, listing.read().split()


def can_mount(trial):
    try:
        return mounted("true", [], trial, "size=64k")[0].returncode == 0
    except OSError:
        return False


def on_disk(words):
    return ["disk/" + word if word.startswith("out") else word for word in words]


def check_disks(program, place, inputs, shim, generator):
    trial = fresh(place, "disks", inputs)
    (trial / "disk").mkdir()
    if not can_mount(trial):
        return None
    counts = collections.Counter()
    for name, words in inputs.commands().items():
        words = on_disk(words)
        cases = ["ro,size=64m"] + [f"size={size}k" for size in (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)]
        for options in cases:
            result, left = mounted(program, words, trial, options)
            expected = result.returncode == 0
            if not expected:
                text = sentence(result)
                if result.returncode != 1 or not ("cannot be written" in text or " of disk, but " in text):
                    raise Failure(f"{name}, disk of {options}: ended with {result.returncode}, {text!r}")
            visible = [entry for entry in left if not entry.startswith(".")]
            several = words[0] == "train" and "out.model" not in visible
            if [entry for entry in left if entry.startswith(".")] or bool(visible) != expected and not several:
                raise Failure(f"{name}, disk of {options}: ended with {result.returncode}, left {left}")
            if options.startswith("ro") and expected:
                raise Failure(f"{name}: ended well on a disk that cannot be written")
            counts["whole" if expected else "told"] += 1
    return ", ".join(f"{counts[key]} {key}" for key in sorted(counts)) + " runs"


CHECKS = {
    "two runs at once": check_two_at_once,
    "inputs shortened, changed, removed": check_inputs,
    "read-only and full disks": check_disks,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--only", help="only the checks whose name contains this")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program = os.path.abspath(options.kuoci)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    failures = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kuoci-hazards-", dir=memory) as work:
        place = pathlib.Path(work)
        shim = build_shim(place)
        inputs = Inputs(program, place / "inputs")
        hashes = inputs.hashes()
        for number, (name, check) in enumerate(CHECKS.items()):
            if options.only and options.only not in name:
                continue
            home = place / f"check-{number}"
            home.mkdir()
            try:
                text = check(program, home, inputs, shim, random.Random(options.seed))
                print(f"{name}: {text}" if text else f"skipped {name}: nothing can be mounted here", flush=True)
            except Failure as failure:
                failures += 1
                print(f"  FAILED {name}: {failure}", flush=True)
        if inputs.hashes() != hashes:
            failures += 1
            print("  FAILED: an input was changed")
    print(f"hazards: {failures} failures; {time.monotonic() - began:.0f} s")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
