"""Commands that are run once: what they wrote stays until their command line changes."""

import json
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import time

# What a command ends with that was asked to end, by itself or by the signal; it has saved its work.
INTERRUPTED = (130, 143, -signal.SIGINT, -signal.SIGTERM)


class Steps:
    def __init__(self, program, directory):
        self.program = program
        self.directory = pathlib.Path(directory)
        self.marks = self.directory / "steps"
        self.marks.mkdir(parents=True, exist_ok=True)

    def run(self, name, *words, output=None, diagnostics=None, resumable=False):
        """Runs `kuoci WORDS` unless it has been run so; `output` takes its standard output, `diagnostics` the other.

        A run of pretraining that was cut short goes on where it stopped."""
        words = [str(word) for word in words]
        mark = self.marks / (name.replace("/", "-").replace(" ", "-") + ".json")
        out = pathlib.Path(words[words.index("--out") + 1]) if "--out" in words else None
        written = out or output
        is_done = mark.exists() and json.loads(mark.read_text())["command"] == words
        if is_done and (written is None or written.exists()):
            return
        print(f"-- {name}: kuoci {shlex.join(words)}", flush=True)
        start = time.monotonic()
        started = resumable and any((out / "checkpoints").glob("step-*"))
        if not (started and self.call([*words, "--resume"])):
            if out and out.is_dir():
                shutil.rmtree(out)
            if not self.call(words, output, diagnostics):
                raise SystemExit(f"study: {name} failed; make study goes on from here")
        # The seconds are those of the last start, for the progress shown alone.
        mark.write_text(json.dumps({"command": words, "seconds": time.monotonic() - start}))

    def call(self, words, output=None, diagnostics=None):
        def pipe(path):
            return subprocess.PIPE if path else None
        ended = subprocess.run([self.program, *words], stdout=pipe(output), stderr=pipe(diagnostics))
        if ended.returncode == 0:
            for path, text in [(output, ended.stdout), (diagnostics, ended.stderr)]:
                if path:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(text)
        elif diagnostics:
            sys.stderr.buffer.write(ended.stderr)
        if ended.returncode in INTERRUPTED:
            raise SystemExit("study: interrupted; make study goes on from here")
        return ended.returncode == 0
