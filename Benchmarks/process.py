"""Runs a process by itself and says what it took: seconds of wall time, and peak memory by wait4."""

import os
import statistics
import subprocess
import sys
import time


class Usage:
    def __init__(self, seconds, processor_seconds, peak_bytes, output):
        self.seconds = seconds
        self.processor_seconds = processor_seconds
        self.peak_bytes = peak_bytes
        self.output = output


def measure(command, cores=None, output_path=os.devnull):
    """One run of `command`; `cores` restricts it to so many processors. Raises if it fails."""
    if cores:
        command = ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores])), *command]
    with open(output_path, "wb") as output, open(os.devnull, "rb") as nothing:
        start = time.monotonic()
        process = subprocess.Popen(list(map(str, command)), stdin=nothing, stdout=output, stderr=subprocess.PIPE)
        message = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {message.decode('utf-8', 'replace')[-400:]}")
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, message.decode("utf-8", "replace"))


def medians(runs):
    return statistics.median(run.seconds for run in runs), statistics.median(run.peak_bytes for run in runs)


def row(name, ours, theirs, unit, higher_is_better):
    """One line of the table: both figures, and how many times better ours is."""
    ratio = ours / theirs if higher_is_better else theirs / ours
    print(f"{name:<58} {ours:>10.2f} {theirs:>13.2f}  {unit:<6} {ratio:>6.2f} x", flush=True)


def header(peer):
    print(f"{'':<58} {'kuoci':>10} {peer:>13}  {'':<6} {'better':>8}", flush=True)


def python(code, *parameters):
    """The command that runs `code` in this interpreter, with the parameters in sys.argv[1:]."""
    return [sys.executable, "-c", code, *map(str, parameters)]
