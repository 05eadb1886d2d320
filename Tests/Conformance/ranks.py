"""Compares pretraining by two processes under mpirun with one process: losses, weights, bytes, errors, signals, resuming.

The same options take the same blocks in the same order whatever the number of processes, and dropout draws the same:
so losses and weights differ by the rounding of the gradients' sums alone. A sharded optimizer, sums
that overlap and layers that are computed again change no byte.
"""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import harness

TEXT = harness.ROOT / "corpora/sample.zh.txt"
HELD_OUT = harness.ROOT / "corpora/sample.en.txt"
RANKS = 2
STEPS = 6
RATE = 2e-3
TOLERANCE = 1e-5
COMMON = [
    "--batch-size", 2, "--accumulation", 4, "--block-size", 64, "--learning-rate", RATE, "--warmup-steps", 2, "--clip", 0.5,
    "--evaluate-every", 2, "--save-every", 2, "--threads", 1, "--heldout", f"en={HELD_OUT}"]
STAGES = {
    "embeddings": ["--stage", "embeddings", "--train-rows", "all"],
    "embeddings of new rows": ["--stage", "embeddings", "--train-rows", "new", "--first-new-row", 20000],
    "lora": ["--stage", "lora", "--lora-dropout", 0.2, "--lora-targets", "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"],
    "full": ["--stage", "full"],
}
# Every step multiplies the matrices by -1e18.
EXPLODES = ["--learning-rate", 1000, "--weight-decay", 1e15]
# Steps of a run that is stopped: it must outlast the seconds that mpirun lets pass before it hands SIGTERM on.
LONG = 60
# Any of Open MPI's can be run by root in a container of two processors; MPICH passes them by. SIGTERM comes after the last
# one's seconds, SIGKILL after as many more.
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_odls_base_sigkill_timeout": "2"}


def command(program, ranks, model, out, options):
    launcher = ["mpirun", "-np", str(ranks)] if ranks > 1 else []
    words = [program, "pretrain", "--model", model, "--text", TEXT, "--out", out, *COMMON, *options]
    return launcher + [str(word) for word in words]


def start(*parameters, **more):
    return subprocess.Popen(
        command(*parameters), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **ENVIRONMENT}, **more)


def pretrain(*parameters):
    """Exit code and standard error."""
    process = start(*parameters)
    try:
        errors = process.communicate(timeout=600)[1]
    except subprocess.TimeoutExpired:
        # mpirun ends what it started.
        process.terminate()
        raise RuntimeError(f"hung: {' '.join(map(str, parameters[4]))}")
    return process.returncode, errors


def trained(*parameters):
    code, errors = pretrain(*parameters)
    if code != 0:
        raise RuntimeError(f"ended with {code}: {errors.strip()[-300:]}")


def weights(run):
    """Every number of a run's safetensors, by tensor."""
    path = next(path for name in ("adapter/adapter_model.safetensors", "model/model.safetensors") if (path := run / name).exists())
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = memoryview(data[begin:end]).cast("f")
    return tensors


def lines(run, event):
    return [line for text in (run / "log.jsonl").read_text().splitlines() if (line := json.loads(text))["event"] == event]


def files(run):
    """What every run gives again."""
    kept = [run / "log.jsonl", *sorted((run / "checkpoints").rglob("*")), *sorted(run.glob("adapter/*")), *sorted(run.glob("model/*"))]
    return {str(path.relative_to(run)): path.read_bytes() for path in kept if path.is_file() and path.name != "kuoci.json"}


def differing(one, other):
    ours, theirs = files(one), files(other)
    return [(name, "other bytes", "the same") for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]


def relative(ours, theirs):
    return abs(ours - theirs) / abs(theirs)


def compare(report, name, run, single):
    """Losses and norms relative; weights as a share of the learning rate, which Adam moves each by in a step."""
    worst = {}
    for event, keys in (("step", ("loss", "gradient_norm")), ("evaluation", ("loss",))):
        ours, theirs = lines(run, event), lines(single, event)
        for key in keys:
            worst[f"{event} {key}"] = max(relative(a[key], b[key]) for a, b in zip(ours, theirs, strict=True))
    one, other = weights(run), weights(single)
    moved = max(max(map(abs, map(float.__sub__, map(float, values), map(float, other[key]))), default=0) for key, values in one.items())
    text = f"{STEPS} steps, {len(one)} tensors; largest relative difference: " + ", ".join(
        f"{key} {value:.1e}" for key, value in worst.items()) + f"; largest of a weight {moved:.1e}"
    # Adam divides by the gradient's size: rounding is magnified where that is tiny.
    (report.ok if max(worst.values()) <= TOLERANCE and moved <= RATE / 10 else report.failed)(name, text)


def check_stage(report, name, options, work, model, stage):
    run, again, single = work / f"{stage}-2", work / f"{stage}-again", work / f"{stage}-1"
    more = [*STAGES[stage], "--steps", STEPS]
    trained(options.kuoci, 1, model, single, more)
    trained(options.kuoci, RANKS, model, run, more)
    trained(options.kuoci, RANKS, model, again, more)
    compare(report, name, run, single)
    report.equal(name + ", twice", f"{len(files(run))} files", differing(run, again))
    for kind in ("--shard-optimizer", "--overlap-sums", "--overlap-sums --shard-optimizer --activation-checkpointing"):
        other = work / f"{stage}{kind}"
        trained(options.kuoci, RANKS, model, other, [*more, *kind.split()])
        report.equal(f"{name}, {kind}", f"{len(files(run))} files", differing(other, run))


def check_three(report, name, options, work, model):
    """Shares of odd sizes, and a last step that has no work for one process."""
    whole, sharded = work / "three", work / "three-sharded"
    more = [*STAGES["lora"], "--accumulation", 7, "--epochs", 1, "--batch-size", 1, "--block-size", 480]
    trained(options.kuoci, 3, model, whole, more)
    trained(options.kuoci, 3, model, sharded, [*more, "--shard-optimizer", "--overlap-sums"])
    counts = [line["targets"] for line in lines(whole, "step")]
    report.equal(name, f"{len(files(whole))} files, targets of the steps {counts}", differing(sharded, whole))


def check_quantized(report, name, options, work, model):
    """Moments in 8 bits: sharded, overlapping, twice the same bytes; codes near an edge make one process differ a little."""
    run, single = work / "int8-2", work / "int8-1"
    more = [*STAGES["full"], "--optimizer-state", "int8", "--steps", STEPS]
    trained(options.kuoci, 1, model, single, more)
    trained(options.kuoci, RANKS, model, run, more)
    ours, theirs = lines(run, "step"), lines(single, "step")
    difference = max(relative(a["loss"], b["loss"]) for a, b in zip(ours, theirs, strict=True))
    text = f"{STEPS} steps, largest relative difference of the loss {difference:.1e}"
    (report.ok if difference <= 1e-3 else report.failed)(name, text)
    for kind in ("", "--shard-optimizer", "--overlap-sums --shard-optimizer"):
        other = work / f"int8 {kind}"
        trained(options.kuoci, RANKS, model, other, [*more, *kind.split()])
        report.equal(f"{name}, {kind or 'twice'}", f"{len(files(run))} files", differing(other, run))


def check_nccl(report, name, options, work, model):
    """The way to NCCL with a library that adds up in the order of ranks, as we do with MPI: the same bytes. No GPU is there."""
    library = work / "libnccl.so.2"
    source = pathlib.Path(__file__).with_name("nccl_stand_in.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-lpthread", "-lrt"], check=True)
    for stage in ("lora", "full"):
        plain, more = work / f"plain-{stage}", [*STAGES[stage], "--steps", STEPS]
        trained(options.kuoci, RANKS, model, plain, more)
        for place, note in ((library, "added up by NCCL 1.2.3"), ("/nowhere", "/nowhere was not found")):
            run = work / f"nccl-{stage}-{pathlib.Path(place).name}"
            os.environ["KUOCI_NCCL"] = str(place)
            try:
                code, errors = pretrain(options.kuoci, RANKS, model, run, more)
            finally:
                del os.environ["KUOCI_NCCL"]
            if code != 0 or errors.count(note) != 1:
                report.failed(f"{name}, {stage}", f"ended with {code}, did not say '{note}' once: {errors.strip()[-300:]}")
            else:
                report.equal(f"{name}, {stage}, {note}", f"{len(files(run))} files", differing(run, plain))


def check_stages(report, name, options, work, model):
    run, single = work / "stages-2", work / "stages-1"
    more = ["--stages", "embeddings,lora", "--train-rows", "all", "--steps", STEPS]
    trained(options.kuoci, 1, model, single, more)
    trained(options.kuoci, RANKS, model, run, more)
    compare(report, name, run / "2-lora", single / "2-lora")


def check_signal(report, name, options, work, model, kind):
    """SIGTERM to mpirun saves; then two processes, or one, go on, each with the optimizer's state whole or shared out."""
    more = [*STAGES["lora"], "--steps", LONG]
    whole, run, other = work / "whole", work / f"stopped{kind}", work / f"stopped{kind}-1"
    if not whole.exists():
        trained(options.kuoci, RANKS, model, whole, more)
    process = start(options.kuoci, RANKS, model, run, [*more, *kind.split()])
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None and not (run / "checkpoints/step-000004").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=300)[1]
    saved = sorted(path.name for path in (run / "checkpoints").glob("step-*"))
    if "stopped after step" not in errors or not saved or (run / "adapter").exists():
        report.failed(name, f"ended with {process.returncode}: {errors.strip()[-300:]}")
        return
    report.ok(name, f"saved {saved[-1]}, ended with {process.returncode}")
    shutil.copytree(run, other)
    trained(options.kuoci, RANKS, model, run, [*more, "--resume", *({"--shard-optimizer"} - {kind})])
    report.equal(name + ", resumed", f"{len(files(run))} files", differing(run, whole))
    trained(options.kuoci, 1, model, other, [*more, "--resume"])
    ours, theirs = lines(other, "step"), lines(whole, "step")
    difference = max(relative(a["loss"], b["loss"]) for a, b in zip(ours, theirs, strict=True))
    text = f"{len(ours)} steps, largest relative difference of the loss {difference:.1e}"
    (report.ok if difference <= 1e-3 else report.failed)(name + ", resumed by one process", text)


def check_errors(report, name, options, work, model):
    """Each ends all processes, with its own exit code."""
    finished = work / "lora-2"
    damaged = work / "damaged"
    shutil.copytree(model, damaged)
    (damaged / "model.safetensors").write_bytes(b"\0" * 100)
    cases = {
        "a damaged model": (damaged, work / "e1", ["--stage", "lora", "--steps", 2], 65),
        "a taken directory": (model, finished, ["--stage", "full", "--steps", 2], None),
        "too few micro-batches": (model, work / "e3", ["--stage", "lora", "--steps", 2, "--accumulation", 1], 64),
        "no such text": (model, work / "e4", ["--stage", "lora", "--steps", 2, "--heldout", "x=/nowhere.txt"], None),
        "a rate that explodes": (model, work / "e5", ["--stage", "full", "--steps", 9, *EXPLODES], None),
        "the same, sharded": (
            model, work / "e6", ["--stage", "full", "--steps", 9, *EXPLODES, "--shard-optimizer", "--overlap-sums"], None),
    }
    differences = []
    for case, (source, out, more, expected) in cases.items():
        code, errors = pretrain(options.kuoci, RANKS, source, out, more)
        alone = pretrain(options.kuoci, 1, source, work / "alone", [*more, "--force"])[0] if expected is None and out != finished else 0
        if code == 0 or code not in (expected, alone) and out != finished:
            differences.append((case, f"exit code {code}: {errors.strip()[-200:]}", expected or alone))
    report.equal(name, f"{len(cases)} errors", differences)


def main():
    options = harness.arguments(__doc__.splitlines()[0])
    report = harness.Report(options.only)
    if shutil.which("mpirun") is None:
        report.skipped("two processes", "there is no mpirun (Debian: openmpi-bin, libopenmpi-dev)")
        report.end()
    with tempfile.TemporaryDirectory(prefix="kuoci-ranks-") as directory:
        work = pathlib.Path(directory)
        base = next(path for path in (
            harness.ROOT / ".deps/base/tokenizer.model", options.shared / "tokenizers/llama-32k.model") if path.exists())
        model = work / "model"
        harness.kuoci(options.kuoci, "init", "--preset", "nano", "--tokenizer", base, "--out", model)
        for stage in STAGES:
            report.run(f"two processes and one, stage {stage}", check_stage, options, work, model, stage)
        report.run("two processes and one, moments in 8 bits", check_quantized, options, work, model)
        report.run("gradients by way of NCCL", check_nccl, options, work, model)
        report.run("two processes and one, both stages", check_stages, options, work, model)
        report.run("an error of two processes", check_errors, options, work, model)
        report.run("three processes", check_three, options, work, model)
        for kind in ("", "--shard-optimizer", "--overlap-sums"):
            report.run(f"SIGTERM to two processes {kind}".rstrip(), check_signal, options, work, model, kind)
    report.end()


if __name__ == "__main__":
    main()
