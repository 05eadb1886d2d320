"""Kills pretraining runs at random moments until they are done, and compares what they end with: `make torture`.

A run of each kind is made once without a kill. Then runs with the same options are killed (SIGKILL, SIGTERM, SIGINT)
at random moments, inside saving and inside the writing of the result too, sometimes with the newest checkpoint damaged
afterwards as a power cut would leave it, and resumed until they end. Every file but timing.jsonl must then be the
same, byte for byte; of TensorBoard's files every record but times, speed and memory.

The last line says how many kills and resumes there were, and how many differences: none is what is wanted.
"""

import argparse
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMON = [
    "--epochs", "2", "--batch-size", "2", "--accumulation", "2", "--block-size", "64", "--learning-rate", "3e-3",
    "--warmup-steps", "2", "--weight-decay", "0.1", "--evaluate-every", "4", "--keep-best", "--save-every", "3",
    "--threads", "1", "--progress", "none"]
STAGES = {
    "embeddings": ["--stage", "embeddings", "--train-rows", "all"],
    "lora": ["--stage", "lora", "--lora-dropout", "0.2", "--lora-rank", "4"],
    "full": ["--stage", "full"],
    # Ends early: English gets worse from the Chinese.
    "early": ["--stage", "full", "--evaluate-every", "2", "--best-by", "en", "--patience", "3"],
    "mixed": ["--stage", "lora", "--lora-dropout", "0.2", "--hold-out", "0.1", "--attend-across-documents"],
    "new rows": ["--stage", "embeddings", "--train-rows", "new", "--first-new-row", "1300", "--embedding-learning-rate", "1e-3",
                 "--activation-checkpointing", "--sample-prompt", "文件", "--sample-tokens", "8"],
    "8-bit state": ["--stage", "lora", "--lora-dropout", "0.2", "--lora-rank", "4", "--optimizer-state", "int8"],
    # The second takes up what the first made, in one run.
    "both": ["--stages", "embeddings,lora", "--train-rows", "all", "--lora-dropout", "0.2", "--lora-rank", "4"],
}
# What depends on the machine's speed, or on when a run was stopped.
IGNORED = {"timing.jsonl", ".lock"}


class Failure(Exception):
    pass


class Inputs:
    """A tiny model, its tokenizer and texts, made by the program itself."""

    def __init__(self, kuoci, place):
        self.kuoci = kuoci
        self.place = place
        lines = (ROOT / "corpora/sample.zh.txt").read_text(encoding="utf-8").splitlines()
        english = (ROOT / "corpora/sample.en.txt").read_text(encoding="utf-8").splitlines()
        self.text = self.write("text.txt", lines[:90])
        self.english = self.write("english.txt", english[10:60])
        self.zh = self.write("zh.heldout.txt", lines[90:110])
        self.en = self.write("en.heldout.txt", english[:10])
        self.make("train", "--input", ROOT / "corpora/sample.zh.txt", "--model-prefix", place / "small",
                  "--model-type", "bpe", "--vocab-size", "1600", "--byte-fallback")
        self.make("init", "--preset", "nano", "--tokenizer", place / "small.model", "--out", place / "model")

    def write(self, name, lines):
        path = self.place / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def make(self, *words):
        result = subprocess.run([self.kuoci, *map(str, words)], capture_output=True, text=True, encoding="utf-8")
        if result.returncode != 0:
            sys.exit(f"kuoci {words[0]} ended with {result.returncode}: {result.stderr.strip()}")

    def command(self, stage):
        """The same for every run of a stage, so that kuoci.json is the same too: each has a directory of its own."""
        # A mix keeps its tokens in the run, so that tokenizing is killed too.
        text = ["--mix", f"text=0.7:{self.text}", f"more=0.3:{self.english}"] if stage == "mixed" else [
            "--text", str(self.text), "--cache", str(self.place / "tokens")]
        return [
            self.kuoci, "pretrain", "--model", str(self.place / "model"), *text, "--heldout", f"zh={self.zh}",
            f"en={self.en}", "--out", "run", "--resume", *COMMON, *STAGES[stage]]


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def fields(data):
    """The fields of a protobuf message: (number, value)."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                return value, at

    at = 0
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 1:
            value, at = data[at:at + 8], at + 8
        elif key & 7 == 5:
            value, at = data[at:at + 4], at + 4
        else:
            size, at = varint(at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def events(path):
    """What an event file holds, without what depends on the machine's speed: (step, tag, value)."""
    data = path.read_bytes()
    found = []
    at = 0
    while at < len(data):
        size, check = struct.unpack_from("<QI", data, at)
        body = data[at + 12:at + 12 + size]
        if masked_crc(data[at:at + 8]) != check or masked_crc(body) != struct.unpack_from("<I", data, at + 12 + size)[0]:
            raise Failure(f"{path}: the record at byte {at} does not have its checksum")
        at += size + 16
        parts = list(fields(body))
        step = next((value for number, value in parts if number == 2), 0)
        for summary in (value for number, value in parts if number == 5):
            for _, value in fields(summary):
                entry = dict(fields(value))
                tag = entry[1].decode()
                if not tag.startswith("machine/"):
                    found.append((step, tag, entry[2]))
    return found


def contents(run):
    """A hash, or for event files a list of records, for every file of a finished run."""
    found = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.name in IGNORED or path.is_dir():
            continue
        if "tfevents" in name:
            found[str(path.relative_to(run).parent / "events")] = events(path)
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def difference(expected, found):
    """A sentence for each file that differs. A checkpoint that a signal left may be there in place of a regular one."""
    checkpoints = re.compile(r"(.*checkpoints/step-\d+)/")
    both = {match[1] for name in expected if (match := checkpoints.match(name))} & {
        match[1] for name in found if (match := checkpoints.match(name))}
    if not both:
        yield "no checkpoint is in both"
    for name in sorted(expected.keys() | found.keys()):
        match = checkpoints.match(name)
        if match and match[1] not in both:
            continue
        if name not in found:
            yield f"{name} is missing"
        elif name not in expected:
            yield f"{name} should not be there"
        elif expected[name] != found[name]:
            yield f"{name} differs"


def logs(run):
    """The log of a run, or those of its stages."""
    return sorted(path for pattern in ("log.jsonl", "*/log.jsonl") for path in run.glob(pattern))


def log_lines(run):
    try:
        return sum(path.read_bytes().count(b"\n") for path in logs(run))
    except OSError:
        return 0


class Chain:
    """One run, killed and resumed until it ends."""

    def __init__(self, inputs, stage, place, reference, generator):
        self.command = inputs.command(stage)
        self.stage = stage
        self.place = place
        self.run = place / "run"
        self.reference = reference
        self.generator = generator
        self.kills = self.resumes = self.saved = self.damages = 0
        # What the next process must say it resumes from, if that is known.
        self.expected = None
        self.damaged = None
        self.damaged_places = set()

    def go(self, allowance):
        """Kills and resumes until the run ends; after `allowance` kills it is left alone."""
        self.place.mkdir()
        while not self.once(self.kills < allowance):
            self.resumes += 1
        differences = list(difference(self.reference.contents, contents(self.run)))
        shutil.rmtree(self.place)
        return differences

    def once(self, kills):
        """Runs the command once; whether it came to the end."""
        process = subprocess.Popen(self.command, cwd=self.place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True, encoding="utf-8")
        sent = None
        if kills:
            sent = self.generator.choices([signal.SIGKILL, signal.SIGTERM, signal.SIGINT], [3, 1, 1])[0]
            if not self.wait(process) or process.poll() is not None:
                sent = None
            else:
                process.send_signal(sent)
        messages = process.communicate(timeout=600)[1]
        self.check_start(messages)
        if process.returncode == 0:
            return True
        if sent is None:
            raise Failure(f"ended with {process.returncode}: {messages.strip()[-600:]}")
        self.kills += 1
        self.check_end(process.returncode, sent, messages)
        return False

    def wait(self, process):
        """Until the moment of the kill; false if the process ended before it."""
        kind = self.generator.random()
        if kind < 0.1:
            # While it starts, or soon after.
            return self.sleep(process, self.generator.uniform(0, self.reference.start))
        if kind < 0.6:
            # At a line of the log that is not there yet, however busy the machine is.
            before = self.lines()
            goal = self.generator.randint(before + 1, max(before + 1, self.reference.lines))
            while self.lines() < goal:
                if not self.sleep(process, 0.001):
                    return False
            return self.sleep(process, self.generator.uniform(0, self.reference.step))
        place = "checkpoints" if kind < 0.85 else "."
        hidden = lambda: self.hidden(self.current() / place)
        # One of the next few times that something is being written.
        for _ in range(self.generator.randint(1, 3)):
            while not hidden():
                if not self.sleep(process, 0.0002):
                    return False
            self.sleep(process, self.generator.uniform(0, 0.01))
        return True

    def current(self):
        """The directory of the stage that runs: the last one, where there are several."""
        return max((path for path in self.run.glob("[0-9]-*")), default=self.run)

    def lines(self):
        return log_lines(self.run)

    def sleep(self, process, seconds):
        time.sleep(seconds)
        return process.poll() is None

    def hidden(self, directory):
        try:
            return any(name.startswith(".") and name != ".lock" for name in os.listdir(directory))
        except OSError:
            return False

    def check_start(self, messages):
        """The process said that it took up the run where it should have."""
        resumed = re.search(r"resumed after step (\d+)", messages)
        if self.damaged and (resumed or "starting from step 0" in messages) and self.damaged not in messages:
            raise Failure(f"the damaged {self.damaged} was not named: {messages}")
        if self.expected is not None and resumed and int(resumed[1]) != self.expected:
            raise Failure(f"resumed after step {resumed[1]} where {self.expected} was saved")
        if resumed or "starting from step 0" in messages:
            self.expected = self.damaged = None

    def check_end(self, code, sent, messages):
        """A signal that can be caught saves and tells so; then a checkpoint may be damaged."""
        if sent == signal.SIGKILL or code == -sent:
            if code != -sent:
                raise Failure(f"ended with {code} after {sent.name}: {messages}")
        elif code != 128 + sent:
            raise Failure(f"ended with {code} after {sent.name}, not {128 + sent}: {messages}")
        else:
            stopped = re.search(r"stopped after step (\d+) as asked", messages)
            if not stopped:
                raise Failure(f"{sent.name} was not told of: {messages}")
            self.saved += 1
            self.expected = int(stopped[1]) or None
        if self.generator.random() < 0.25:
            self.damage()

    def damage(self):
        """Damages the newest checkpoint, if there is one before it and the run has not just written its last file."""
        stage = self.current()
        checkpoints = sorted((stage / "checkpoints").glob("step-*"))
        if len(checkpoints) < 2 or (stage / "kuoci.json").exists():
            return
        # Damaged before and passed over since: once is enough.
        place = checkpoints[-1].stat().st_ino
        if place in self.damaged_places:
            return
        self.damaged_places.add(place)
        path = self.generator.choice(sorted(checkpoints[-1].iterdir()))
        data = bytearray(path.read_bytes())
        kind = self.generator.choice(["cut", "changed", "missing"])
        if kind == "missing":
            path.unlink()
        else:
            place = self.generator.randrange(len(data))
            if kind == "cut":
                data = data[:place]
            else:
                data[place] ^= 1 << self.generator.randrange(8)
            path.write_bytes(data)
        self.damages += 1
        self.damaged = checkpoints[-1].name
        self.expected = int(checkpoints[-2].name.removeprefix("step-"))


class Reference:
    """The run that is never interrupted: what it ends with, the lines of its log, the moment of its first step."""

    def __init__(self, inputs, stage, place):
        place.mkdir()
        run = place / "run"
        began = time.monotonic()
        process = subprocess.Popen(inputs.command(stage), cwd=place, stdout=subprocess.DEVNULL)
        self.start = None
        while process.poll() is None:
            if self.start is None and any(b'"step"' in log.read_bytes() for log in logs(run)):
                self.start = time.monotonic() - began
            time.sleep(0.001)
        if process.returncode != 0:
            raise Failure(f"the run of stage {stage} that is not killed ended with {process.returncode}")
        duration = time.monotonic() - began
        self.start = self.start or duration
        self.contents = contents(run)
        events = [json.loads(line)["event"] for log in logs(run) for line in log.read_text(encoding="utf-8").splitlines()]
        self.lines = len(events)
        self.steps = events.count("step")
        # Seconds that a step takes, about.
        self.step = (duration - self.start) / max(1, self.steps)


class Torture:
    def __init__(self, options, place):
        self.options = options
        self.place = place
        self.lock = threading.Lock()
        self.started = 0
        self.totals = {"kills": 0, "resumes": 0, "saved": 0, "damages": 0, "runs": 0}
        self.differences = []
        self.inputs = Inputs(options.kuoci, place)
        self.references = {}
        for stage in STAGES:
            self.references[stage] = reference = Reference(self.inputs, stage, place / f"{stage}-whole")
            print(f"{stage}: {reference.steps} steps of {reference.step:.3f} s, the first after {reference.start:.2f} s", flush=True)

    def work(self):
        """Chains, stage after stage, until there have been enough kills."""
        while True:
            with self.lock:
                number = self.started
                self.started += 1
                missing = self.options.kills - self.totals["kills"]
            if missing <= 0:
                return
            stage = list(STAGES)[number % len(STAGES)]
            chain = Chain(self.inputs, stage, self.place / f"chain-{number}", self.references[stage],
                          random.Random(f"{self.options.seed} {number}"))
            try:
                found = chain.go(allowance=25)
            except (Failure, OSError, subprocess.TimeoutExpired) as error:
                found = [str(error)]
            self.count(number, stage, chain, found)

    def count(self, number, stage, chain, found):
        with self.lock:
            for key in ("kills", "resumes", "saved", "damages"):
                self.totals[key] += getattr(chain, key)
            self.totals["runs"] += 1
            self.differences += found
            print(f"run {number}, {stage}: {chain.kills} kills, {chain.resumes} resumes, {len(found)} differences",
                  flush=True)
            for text in found:
                print(f"  DIFFERS: {text}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"))
    parser.add_argument("--kills", type=int, default=200, help="how many at least")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="decides the moments")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at the same time")
    options = parser.parse_args()
    options.kuoci = os.path.abspath(options.kuoci)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kuoci-torture-") as place:
        torture = Torture(options, pathlib.Path(place))
        workers = [threading.Thread(target=torture.work) for _ in range(options.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    totals = torture.totals
    print(f"torture: {totals['kills']} kills in {totals['runs']} runs, {totals['saved']} of them saved before they ended;"
          f" {totals['damages']} checkpoints damaged; {totals['resumes']} resumes; {len(torture.differences)} differences")
    sys.exit(1 if torture.differences else 0)


if __name__ == "__main__":
    main()
