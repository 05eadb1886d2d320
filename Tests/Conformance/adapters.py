"""`kuoci export` beside PEFT's merge_and_unload at many ranks, and with adapters that old PEFTs write.

Old releases of PEFT are fetched into a temporary directory; where that cannot be done, their checks are skipped.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from checkpoints import bits, tensors
from harness import Report, arguments, kuoci

MODULES = ["q_proj", "up_proj", "down_proj"]
# Up to here, on the processors tried, the product that PEFT takes from the BLAS adds in order; beyond, in halves.
HIGHEST_EQUAL_RANK = 128
OLD_PEFT = ("0.4.0", "0.6.2")

WRITE = """
import sys, torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM
base, adapter, merged = sys.argv[1:]
model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(
    r=8, lora_alpha=32, target_modules=["q_proj", "v_proj", "o_proj"], modules_to_save=["embed_tokens", "lm_head"],
    task_type="CAUSAL_LM"))
torch.manual_seed(8)
with torch.no_grad():
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.add_(torch.randn_like(parameter) * 0.02)
model.save_pretrained(adapter, safe_serialization=True)
result = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).merge_and_unload()
save_file({key: value.contiguous().clone() for key, value in result.state_dict().items()}, merged)
"""


def make_base(directory, dtype=torch.float32, hidden=512, inner=1376):
    config = LlamaConfig(
        vocab_size=300, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=1, num_attention_heads=8,
        num_key_value_heads=4)
    torch.manual_seed(2)
    LlamaForCausalLM(config).to(dtype).save_pretrained(directory)


def make_adapter(base, directory, rank):
    peft = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(
        r=rank, lora_alpha=19, target_modules=MODULES, task_type="CAUSAL_LM"))
    torch.manual_seed(rank)
    with torch.no_grad():
        for parameter in peft.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.02)
    peft.save_pretrained(directory)


def unequal(ours, theirs):
    """Numbers that differ, of how many, and by how much at most."""
    count = sum((ours[key] != theirs[key].to(ours[key].dtype)).sum().item() for key in ours)
    worst = max((ours[key].double() - theirs[key].double()).abs().max().item() for key in ours)
    return count, sum(value.numel() for value in ours.values()), worst


def check_rank(report, name, program, rank, dtype):
    with tempfile.TemporaryDirectory() as directory:
        base, adapter, out = (pathlib.Path(directory) / part for part in ("base", "adapter", "out"))
        make_base(base, dtype)
        make_adapter(base, adapter, rank)
        kuoci(program, "export", "--model", base, "--adapter", adapter, "--out", out, "--progress", "none")
        theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).merge_and_unload()
        count, total, worst = unequal(tensors(out), theirs.state_dict())
    text = f"{count} of {total} numbers differ from merge_and_unload, by at most {worst:.1e}"
    # Beyond, the last places of float32, or one rounding to bfloat16.
    allowed = count == 0 if rank <= HIGHEST_EQUAL_RANK else worst <= (1e-7 if dtype == torch.float32 else 1e-3)
    (report.ok if allowed else report.failed)(name, text)


def fetch_peft(version, directory):
    """Whether that release could be had."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(directory), f"peft=={version}"]
    return subprocess.run(command, capture_output=True).returncode == 0


def check_old(report, name, program, version):
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        if not fetch_peft(version, work / "peft"):
            report.skipped(name, "it could not be fetched")
            return
        base, adapter, merged, out = work / "base", work / "adapter", work / "merged.safetensors", work / "out"
        make_base(base, hidden=128, inner=192)
        environment = {**os.environ, "PYTHONPATH": str(work / "peft")}
        result = subprocess.run(
            [sys.executable, "-c", WRITE, base, adapter, merged], env=environment, capture_output=True, text=True)
        if result.returncode != 0:
            report.skipped(name, "it does not run with this transformers: " + result.stderr.strip().splitlines()[-1][:120])
            return
        kuoci(program, "export", "--model", base, "--adapter", adapter, "--out", out, "--progress", "none")
        ours, theirs = tensors(out), load_file(merged)
        found = [(key, "", "") for key in ours if bits(ours[key]) != bits(theirs[key])]
    report.equal(name, f"{len(ours)} tensors as it merges them, to the bit", found)


def main():
    options = arguments(__doc__)
    report = Report(options.only)
    for dtype in (torch.float32, torch.bfloat16):
        for rank in (1, 3, 8, 16, 64, 128, 256):
            report.run(f"rank {rank} on {str(dtype)[6:]}", check_rank, options.kuoci, rank, dtype)
    for version in OLD_PEFT:
        report.run(f"an adapter of PEFT {version}", check_old, options.kuoci, version)
    report.end()


if __name__ == "__main__":
    main()
