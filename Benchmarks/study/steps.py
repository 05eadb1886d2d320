"""Commands that are run once: what they wrote stays until their command line changes."""

import json
import pathlib
import shlex
import shutil
import subprocess
import time


class Steps:
    def __init__(self, program, directory):
        self.program = program
        self.directory = pathlib.Path(directory)
        self.marks = self.directory / "steps"
        self.marks.mkdir(parents=True, exist_ok=True)

    def run(self, name, *words, output=None, resumable=False):
        """Runs `kuoci WORDS` unless it has been run so; `output` takes its standard output.

        A run of pretraining that was cut short goes on where it stopped."""
        words = [str(word) for word in words]
        mark = self.marks / (name.replace("/", "-").replace(" ", "-") + ".json")
        if mark.exists() and json.loads(mark.read_text())["command"] == words:
            return
        print(f"-- {name}: kuoci {shlex.join(words)}", flush=True)
        start = time.monotonic()
        out = pathlib.Path(words[words.index("--out") + 1]) if "--out" in words else None
        started = resumable and any((out / "checkpoints").glob("step-*"))
        if not (started and self.call([*words, "--resume"], None)):
            if out and out.is_dir():
                shutil.rmtree(out)
            if not self.call(words, output):
                raise SystemExit(f"study: {name} failed; make study goes on from here")
        # The seconds are those of the last start, for the progress shown alone.
        mark.write_text(json.dumps({"command": words, "seconds": time.monotonic() - start}))

    def call(self, words, output):
        if output is None:
            return subprocess.run([self.program, *words]).returncode == 0
        written = subprocess.run([self.program, *words], stdout=subprocess.PIPE)
        if written.returncode == 0:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(written.stdout)
        return written.returncode == 0
