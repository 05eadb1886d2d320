"""What the comparisons with the peers share: arguments, the kuoci process, and how a check reports.

A check prints one line: `ok NAME: count`, `FAILED NAME: what differs` or `skipped NAME: why`.
"""

import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"), help="the program to check")
    parser.add_argument("--shared", default=str(ROOT.parent / "shared/data"), help="test data beside the repository")
    parser.add_argument("--only", help="run only the checks whose name contains this")
    options = parser.parse_args()
    options.kuoci = os.path.abspath(options.kuoci)
    options.shared = pathlib.Path(options.shared)
    return options


class Report:
    """Counts checks and prints a line for each; ends the process with 1 if one failed."""

    def __init__(self, only=None):
        self.only = only
        self.failures = 0

    def wants(self, name):
        return self.only is None or self.only in name

    def ok(self, name, text):
        print(f"ok {name}: {text}", flush=True)

    def failed(self, name, text):
        self.failures += 1
        print(f"FAILED {name}: {text}", flush=True)

    def skipped(self, name, text):
        print(f"skipped {name}: {text}", flush=True)

    def equal(self, name, count, differences):
        """`differences`: (place, ours, theirs) of what differs; empty if all `count` items are equal."""
        if not differences:
            self.ok(name, count)
            return
        place, ours, theirs = differences[0]
        self.failed(name, f"{len(differences)} differ, first at {place}: ours {shorten(ours)}, theirs {shorten(theirs)}")

    def run(self, name, check, *parameters):
        """Runs a check; what it throws is a failure of that check, and the next one still runs."""
        if not self.wants(name):
            return
        try:
            check(self, name, *parameters)
        except Exception as error:
            self.failed(name, f"{type(error).__name__}: {shorten(str(error), 400)}")

    def end(self):
        sys.exit(1 if self.failures else 0)


def shorten(value, limit=120):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[:limit] + "…"


def kuoci(program, *parameters, stdin=None):
    """Standard output of the program; raises with its standard error if it fails."""
    command = [program, *map(str, parameters)]
    result = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode != 0:
        message = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RuntimeError(f"kuoci {parameters[0]} ended with {result.returncode}: {' / '.join(message[-3:])}")
    return result.stdout


def lines(path):
    """The lines of a UTF-8 file without their ends; only LF ends a line."""
    text = pathlib.Path(path).read_bytes().decode("utf-8")
    return text.removesuffix("\n").split("\n")


def differences(ours, theirs):
    """(index, ours, theirs) for each place where two lists differ, a difference in length included."""
    found = [(index, a, b) for index, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    if len(ours) != len(theirs):
        found.append(("length", len(ours), len(theirs)))
    return found
