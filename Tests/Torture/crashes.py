"""Ends or disturbs the commands that write, at each call that changes the file system in turn: part of `make torture`.

A library loaded into the program (faults.c) counts these calls. At the N-th, for every N, the process is killed (before
the call, or halfway through a write), asked to end (SIGTERM), told that the disk is full or failing (once, or from then
on), or a write is cut short. Afterwards the inputs must be untouched; the output must be what an undisturbed run makes,
byte for byte, or not be there, or with --force be the older one, whole; what is left beside it must be hidden, and gone if
the process could still remove it; a fault that was told must end it with 1 and one sentence; and the next run must succeed
and clear the leftovers of directories away.

A kill does not show what a power cut would: that needs the order of fsyncs, which is read off each undisturbed run's log.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

from faults import ROOT, Failure, Inputs, build_shim, run, sentence, snapshot

WRITES = ("write", "pwrite", "pwrite64", "copy_file_range", "sendfile", "sendfile64", "writev")
REMOVALS = ("unlink", "unlinkat", "rmdir")
KINDS = ("kill", "torn", "term", "int", "short", "enospc", "enospc-on", "eio", "eio-on")


class Sweep:
    """One command, with or without an older output, and all that may happen to it."""

    def __init__(self, name, words, place, program, shim, inputs, replaces=False, exchanges=True):
        self.name = name
        self.words = words + (["--force"] if replaces else [])
        # A directory, but for a converter's output with an ending.
        self.output = words[words.index("--to") + 1] if "--to" in words else "out"
        self.place = place
        self.program = program
        self.inputs = inputs
        self.replaces = replaces
        self.environment = {"LD_PRELOAD": shim} | ({} if exchanges else {"KUOCI_FAULT_NO_EXCHANGE": 1})
        self.exchanges = exchanges
        self.counts = collections.Counter()
        trial = self.fresh("whole")
        self.old = snapshot(trial)[0]
        result = run(program, self.words, trial, KUOCI_FAULT_LOG=place / "whole.log", **self.environment)
        if result.returncode != 0:
            raise Failure(f"the undisturbed run ended with {result.returncode}: {result.stderr.decode()}")
        self.reference, hidden = snapshot(trial)
        if hidden:
            raise Failure(f"the undisturbed run left {hidden}")
        self.calls = [line.split("\t") for line in (place / "whole.log").read_text().splitlines()]
        check_durability(self.calls, trial)

    def fresh(self, name):
        trial = self.place / name
        trial.mkdir()
        if not self.replaces:
            return trial
        output = trial / self.output
        if output.suffix:
            output.write_text("old")
        else:
            output.mkdir()
            (output / "old.txt").write_text("old")
            # Or it would not be replaced.
            (output / "kuoci.json").write_text("{}")
        return trial

    def trials(self, kinds):
        """(kind, call) of every disturbance that makes sense."""
        for kind in kinds:
            for number, (_, call, *_) in enumerate(self.calls, 1):
                if kind in ("torn", "short") and call not in WRITES:
                    continue
                # The same code as for SIGTERM: once is enough.
                if kind == "int" and self.name != "resize":
                    continue
                yield kind, number

    def disturb(self, kind, number):
        trial = self.fresh(f"{kind}-{number}")
        log = self.place / f"{kind}-{number}.log"
        result = run(self.program, self.words, trial, KUOCI_FAULT_AT=number, KUOCI_FAULT_KIND=kind, KUOCI_FAULT_LOG=log,
                     **self.environment)
        try:
            lines = [line.split("\t") for line in log.read_text().splitlines()]
            place = next((index for index, line in enumerate(lines) if line[1] == "fault"), None)
            if place is None:
                raise Failure("the fault did not come")
            self.check(kind, result, lines[place - 1][1], trial)
            self.check_next_run(trial)
        except Failure as failure:
            raise Failure(f"{self.name}, {kind} at call {number} ({' '.join(self.calls[number - 1][1:])}): {failure}") from None
        shutil.rmtree(trial)
        log.unlink()

    def is_whole(self, found):
        """Whether all is there as an undisturbed run makes it. A file that cannot be linked is copied, and the manifest
        then tells its hash."""
        def judged(files):
            return files | {"out/kuoci.json": "any"} if "--link" in self.words and "out/kuoci.json" in files else files
        return judged(found) == judged(self.reference)

    def check(self, kind, result, call, trial):
        found, hidden = snapshot(trial)
        self.check_ending(kind, result)
        is_whole = self.is_whole(found)
        if result.returncode == 0 and not is_whole:
            raise Failure(f"it ended well with {sorted(found)}")
        if not is_whole and found != self.old:
            self.check_parts(found, hidden, trial)
        if any(".tmp-" not in name for name in hidden):
            raise Failure(f"it left {hidden}")
        could_remove = kind not in ("kill", "torn", "enospc-on", "eio-on") and call not in REMOVALS
        if hidden and could_remove:
            raise Failure(f"it could have removed {hidden}")
        self.counts["whole" if is_whole else "old or none"] += 1
        self.counts["left"] += bool(hidden)

    def check_ending(self, kind, result):
        code = result.returncode
        if kind in ("kill", "torn"):
            if code != -signal.SIGKILL:
                raise Failure(f"it ended with {code}")
        elif kind in ("term", "int"):
            if code not in (-signal.SIGTERM, -signal.SIGINT, 0):
                raise Failure(f"it ended with {code}: {result.stderr.decode()}")
        elif code != 0:
            sentence(result)
            if code != 1 or kind == "short":
                raise Failure(f"it ended with {code}: {result.stderr.decode()}")
        self.counts["killed" if code < 0 else "told" if code else "unharmed"] += 1

    def check_parts(self, found, hidden, trial):
        """What is neither the old nor the new output: the first files of several, or an older directory set aside."""
        if self.words[0] == "train" and all(self.reference.get(path) == digest for path, digest in found.items()):
            if "out.model" not in found:
                return
        asides = [name for name in hidden if name.endswith(".old")]
        if not self.exchanges and not found and len(asides) == 1:
            aside = {"out/" + str(p.relative_to(trial / asides[0])) for p in (trial / asides[0]).iterdir()}
            if aside == set(self.old):
                self.counts["set aside"] += 1
                return
        raise Failure(f"{sorted(found)} and {hidden} are there")

    def check_next_run(self, trial):
        found, hidden = snapshot(trial)
        if self.replaces and not self.exchanges and not found:
            result = run(self.program, [word for word in self.words if word != "--force"], trial)
            if result.returncode != 1 or "already exists" not in sentence(result) or snapshot(trial)[0] != self.old:
                raise Failure("the next run did not bring the older output back")
        result = run(self.program, self.words, trial)
        after, left = snapshot(trial)
        if self.is_whole(found) and not self.replaces:
            if result.returncode != 1 or "already exists" not in sentence(result) or after != found:
                raise Failure(f"the next run ended with {result.returncode}: {result.stderr.decode()}")
            return
        if result.returncode != 0 or after != self.reference:
            raise Failure(f"the next run ended with {result.returncode}, {sorted(after)}: {result.stderr.decode()}")
        # A file's leftovers are only ignored.
        if (trial / "out").is_dir() and left:
            raise Failure(f"the next run left {left}")


def check_durability(calls, trial):
    """Everything is synced before it gets its final name, and the directory of that name afterwards."""
    def whole(path):
        return os.path.normpath(os.path.join(trial, path))

    dirty, dirty_directories = set(), set()
    for _, call, first, second in calls:
        path = whole(first)
        if path.endswith(".tmp-lock"):
            continue
        if call in WRITES or call in ("create", "ficlone", "ftruncate", "ftruncate64"):
            dirty.add(path)
        if call in ("create", "mkdir"):
            dirty_directories.add(os.path.dirname(path))
        if call in ("link", "linkat"):
            dirty_directories.add(os.path.dirname(whole(second)))
        if call in ("fsync", "fdatasync"):
            dirty.discard(path)
            dirty_directories.discard(path)
        if call in REMOVALS:
            dirty.discard(path)
        if call in ("rename", "renameat", "exchange") and not second.endswith(".end"):
            late = [item for item in dirty | dirty_directories if item == path or item.startswith(path + "/")]
            if late:
                raise Failure(f"{late} are not synced when {first} becomes {second}")
            dirty_directories.add(os.path.dirname(whole(second)))
    if str(trial) in dirty_directories:
        raise Failure("the directory of the output is not synced at the end")


def sweeps(options, place, inputs, shim):
    """(sweep, kinds) of all that is to be tried."""
    commands = inputs.commands()
    number = 0
    for name, words in commands.items():
        variants = [("", False, True)]
        if name in ("resize", "export", "merge", "convert to a directory", "convert a checkpoint to .gguf"):
            variants.append((" --force", True, True))
        if name == "resize":
            variants.append((" --force where directories cannot be exchanged", True, False))
        for suffix, replaces, exchanges in variants:
            if options.only and options.only not in name + suffix:
                continue
            number += 1
            directory = place / f"sweep-{number}"
            directory.mkdir()
            # The commands name their inputs as ../inputs.
            (directory / "inputs").symlink_to(inputs.place)
            yield Sweep(name + suffix, words, directory, options.kuoci, shim, inputs, replaces, exchanges)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--only", help="only the commands whose name contains this")
    parser.add_argument("--share", type=float, default=1, help="the share of all places that is tried")
    parser.add_argument("--seed", type=int, default=1, help="decides which, where it is less than 1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at the same time")
    options = parser.parse_args()
    options.kuoci = os.path.abspath(options.kuoci)
    generator = random.Random(options.seed)
    # In memory where there is such a place: what is fsynced is read off the log.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    began = time.monotonic()
    failures, total = [], collections.Counter()
    with tempfile.TemporaryDirectory(prefix="kuoci-crashes-", dir=memory) as work:
        place = pathlib.Path(work)
        shim = build_shim(place)
        inputs = Inputs(options.kuoci, place / "inputs")
        stamp, hashes = inputs.stamp(), inputs.hashes()
        for sweep in sweeps(options, place, inputs, shim):
            trials = [trial for trial in sweep.trials(KINDS) if generator.random() < options.share]
            with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
                for future in [pool.submit(sweep.disturb, *trial) for trial in trials]:
                    try:
                        future.result()
                    except Failure as failure:
                        failures.append(str(failure))
                        print(f"  FAILED {failure}", flush=True)
            if inputs.stamp() != stamp:
                failures.append(f"{sweep.name}: an input was touched")
            counts = sweep.counts
            total += counts + collections.Counter(trials=len(trials))
            print(f"{sweep.name}: {len(sweep.calls)} calls, {len(trials)} disturbed runs: {counts['killed']} killed, "
                  f"{counts['told']} told of it, {counts['unharmed']} went on; {counts['whole']} whole outputs, "
                  f"{counts['old or none']} older or none, {counts['left']} with hidden leftovers"
                  + (f", {counts['set aside']} set aside" if counts["set aside"] else ""), flush=True)
        if inputs.hashes() != hashes:
            failures.append("an input was changed")
    print(f"crashes: {total['trials']} disturbed runs, each followed by another, {len(failures)} failures; "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
