"""Compares pretraining with transformers and PEFT: losses, gradients, weights, logits, and the files that open.

A small random LLaMA is trained by `kuoci pretrain`, which records each step's batch; the same batches then go through
transformers and PEFT from the same start.
"""

import json
import math
import pathlib
import shutil
import tempfile
import warnings

import harness
import optimizer_goldens

warnings.filterwarnings("ignore")

import bitsandbytes
import bitsandbytes.backends.cpu.ops
import peft
import sentencepiece
import torch
import transformers
from safetensors.torch import load_file

transformers.utils.logging.disable_progress_bar()

STEPS = 20
BATCH, ACCUMULATION, BLOCK = 2, 2, 64
RATE, WARMUP, MINIMUM, DECAY, CLIP = 2e-3, 3, 0.1, 0.1, 0.5
BETAS, EPSILON = (0.9, 0.95), 1e-8
RANK, ALPHA = 8, 32
TEXTS = [harness.ROOT / "corpora/sample.zh.txt", harness.ROOT / "corpora/sample.en.txt"]
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# Byte pieces and most of the Latin ones lie before it, the Chinese ones after it.
NEW_ROW = 29000
LOSS_TOLERANCE = 1e-4
NORM_TOLERANCE = 1e-4
# Of a tensor's largest.
GRADIENT_TOLERANCE = 1e-4
# bfloat16 has 8 bits: two ways to round a product apart by up to 2^-8.
HALF_LOSS_TOLERANCE = 1e-2
HALF_NORM_TOLERANCE = 5e-2
LOGIT_TOLERANCE = 1e-4
# A code is a step of up to 7 % of a number; which one it is, the last bit of a gradient can decide.
QUANTIZED_TOLERANCE = 1e-3
LONG = 40


def base_tokenizer(options):
    for path in (harness.ROOT / ".deps/base/tokenizer.model", options.shared / "tokenizers/llama-32k.model"):
        if path.exists():
            return path
    raise RuntimeError("no base tokenizer: run `make conformance`, which fetches it")


def make_model(directory, tokenizer, **changes):
    """A random LLaMA with grouped-query attention, in Hugging Face layout; biases are random too, where it has any."""
    torch.manual_seed(7)
    shape = dict(
        vocab_size=32000, hidden_size=64, intermediate_size=160, num_hidden_layers=3, num_attention_heads=8,
        num_key_value_heads=4, max_position_embeddings=256, initializer_range=0.08)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**shape, **changes}))
    for key, parameter in model.named_parameters():
        if key.endswith(".bias"):
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(directory)
    shutil.copy(tokenizer, directory / "tokenizer.model")


def pretrain(program, model, out, stage, *more):
    harness.kuoci(
        program, "pretrain", "--model", model, "--text", *TEXTS, "--stage", stage, "--out", out,
        "--batch-size", BATCH, "--accumulation", ACCUMULATION, "--block-size", BLOCK, "--learning-rate", RATE,
        "--warmup-steps", WARMUP, "--minimum-learning-rate-ratio", MINIMUM, "--weight-decay", DECAY, "--clip", CLIP,
        "--lora-rank", RANK, "--lora-alpha", ALPHA, "--lora-dropout", 0, "--lora-targets", ",".join(TARGETS),
        "--progress", "none", *more)


def steps_of(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "step"]


def learning_rate(step):
    if step <= WARMUP:
        return RATE * step / (WARMUP + 1)
    progress = (step - 1 - WARMUP) / (STEPS - WARMUP)
    return RATE * (MINIMUM + (1 - MINIMUM) * 0.5 * (1 + math.cos(math.pi * progress)))


def attention_mask(documents):
    """[B, 1, T, T]: 0 where a place may look, the lowest number where it may not."""
    size = documents.shape[1]
    causal = torch.ones(size, size, dtype=torch.bool).tril()
    allowed = (documents[:, :, None] == documents[:, None, :]) & causal
    return torch.where(allowed[:, None], 0.0, torch.finfo(torch.float32).min)


def logits_of(model, batch, rows=slice(None)):
    return model(
        input_ids=batch["tokens"][rows].long(), position_ids=batch["positions"][rows].long(),
        attention_mask=attention_mask(batch["documents"][rows])).logits


def plain_logits_of(model, batch, rows=slice(None)):
    """As a script that joins documents and cuts blocks calls the model: it gets ids and nothing else."""
    return model(input_ids=batch["tokens"][rows].long()).logits


def half_logits_of(model, batch, rows=slice(None)):
    """With products in bfloat16, as PyTorch's autocast decides, beside weights in float32."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return logits_of(model, batch, rows).float()


def clip(parameters):
    """As clip_grad_norm_, whose own sum over millions of float32 squares is off by up to 3e-4: ours is of float64."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(float(gradient.double().square().sum()) for gradient in gradients))
    scale = CLIP / (norm + 1e-6)
    if scale < 1:
        for gradient in gradients:
            gradient.mul_(scale)
    return norm


def quantize_exactly(values, code, absmax, codes, block):
    """In place of the approximation of bitsandbytes' CPU backend: its default one, and our rule for squares."""
    map_name = "signed" if float(code[0]) < 0 else "unsigned"
    found, sizes = optimizer_goldens.quantize(values.flatten().numpy(), map_name)
    found = torch.from_numpy(found).view(values.shape)
    codes.copy_(torch.maximum(found, (values > 0).to(torch.uint8)) if map_name == "unsigned" else found)
    absmax.copy_(torch.from_numpy(sizes))


def quantized_adamw(parameters, **options):
    bitsandbytes.backends.cpu.ops._quant_blockwise_fp32_direct = quantize_exactly
    return bitsandbytes.optim.AdamW8bit(parameters, **options)


def replay(model, batches, logits_of, decay=DECAY, adamw=torch.optim.AdamW):
    """The peer's loss, gradient norm and learning rate of each recorded step; the last one's gradients stay."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = adamw(parameters, lr=RATE, betas=BETAS, eps=EPSILON, weight_decay=decay)
    model.train()
    results = []
    for step, path in enumerate(batches, start=1):
        batch = load_file(path)
        targets = batch["targets"].long()
        count = int((targets >= 0).sum())
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.zero_grad()
        total = 0.0
        for start in range(0, len(targets), BATCH):
            rows = slice(start, start + BATCH)
            loss = torch.nn.functional.cross_entropy(
                logits_of(model, batch, rows).flatten(0, 1), targets[rows].flatten(), ignore_index=-1, reduction="sum")
            (loss / count).backward()
            total += loss.item()
        norm = clip(parameters)
        optimizer.step()
        results.append({"loss": total / count, "gradient_norm": norm, "learning_rate": learning_rate(step)})
    return results


def largest_relative(ours, theirs, key):
    return max(abs(a[key] - b[key]) / abs(b[key]) for a, b in zip(ours, theirs, strict=True))


def compare_steps(
    report, name, run, model, logits_of=logits_of, decay=DECAY, loss_bar=LOSS_TOLERANCE, norm_bar=NORM_TOLERANCE,
    adamw=torch.optim.AdamW):
    batches = sorted((run / "batches").glob("*.safetensors"))
    ours, theirs = steps_of(run), replay(model, batches, logits_of, decay, adamw)
    if len(ours) != STEPS or len(batches) != STEPS:
        report.failed(name, f"{len(ours)} steps logged and {len(batches)} recorded, not {STEPS}")
        return
    differences = {key: largest_relative(ours, theirs, key) for key in ("loss", "gradient_norm", "learning_rate")}
    clipped = sum(step["gradient_norm"] > CLIP for step in theirs)
    documents = max(int(load_file(path)["documents"].max()) + 1 for path in batches)
    text = (
        f"{STEPS} steps of {BATCH} x {ACCUMULATION} blocks ({clipped} clipped, up to {documents} documents a block), "
        f"loss {theirs[0]['loss']:.4f} to {theirs[-1]['loss']:.4f}; largest relative difference: "
        + ", ".join(f"{key} {value:.1e}" for key, value in differences.items()))
    if differences["loss"] <= loss_bar and differences["gradient_norm"] <= norm_bar and differences["learning_rate"] < 1e-9:
        report.ok(name, text)
    else:
        report.failed(name, text)


def compare_weights(report, name, pairs):
    """`pairs`: (name, ours, theirs). Adam divides by the gradient's size, which doubles its rounding where that is tiny:
    so the bar is a share of what the weights moved by in all."""
    worst = max((float((a - b).abs().max()), key) for key, a, b in pairs)
    text = f"{len(pairs)} tensors after {STEPS} steps, largest difference {worst[0]:.1e} in {worst[1]}"
    (report.ok if worst[0] <= RATE else report.failed)(name, text)


def check_embeddings(report, name, options, work, model):
    run = work / f"stage1-{model.name}"
    pretrain(
        options.kuoci, model, run, "embeddings", "--train-rows", "all", "--steps", STEPS, "--record-batches", run / "batches")
    peer = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    for key, parameter in peer.named_parameters():
        parameter.requires_grad = "embed_tokens" in key or "lm_head" in key
    compare_steps(report, name, run, peer)
    ours, start = load_file(run / "model/model.safetensors"), load_file(model / "model.safetensors")
    theirs = peer.state_dict()
    compare_weights(report, name + ", weights", [(key, ours[key], theirs[key]) for key in sorted(ours)])
    frozen = [key for key in sorted(start) if "embed_tokens" not in key and "lm_head" not in key]
    report.equal(
        name + ", frozen tensors bit for bit", f"{len(frozen)} tensors",
        [(key, "changed", "frozen") for key in frozen if not torch.equal(ours[key], start[key])])


def joined_blocks(tokenizer):
    """The ids of all documents, joined and cut into whole blocks, as transformers' run_clm.py groups texts."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    lines = [line for path in TEXTS for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    ids = [id for line in lines for id in [processor.bos_id(), *processor.encode(line), processor.eos_id()]]
    return {tuple(ids[start : start + BLOCK]) for start in range(0, len(ids) - BLOCK + 1, BLOCK)}


def check_across_documents(report, name, options, work, model):
    run = work / "across"
    pretrain(
        options.kuoci, model, run, "embeddings", "--train-rows", "all", "--steps", STEPS, "--attend-across-documents",
        "--record-batches", run / "batches")
    peer = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    for key, parameter in peer.named_parameters():
        parameter.requires_grad = "embed_tokens" in key or "lm_head" in key
    blocks = joined_blocks(model / "tokenizer.model")
    recorded = [load_file(path) for path in sorted((run / "batches").glob("*.safetensors"))]
    full = [row.tolist() for batch in recorded for row, targets in zip(batch["tokens"], batch["targets"])
            if int((targets < 0).sum()) == 1]
    report.equal(
        name + ", blocks", f"{len(full)} of {len(blocks)} blocks",
        [(place, row[:8], "no block of joined documents") for place, row in enumerate(full) if tuple(row) not in blocks])
    first = recorded[0]["tokens"].long()
    with torch.no_grad():
        loss = peer(input_ids=first, labels=first).loss.item()
    difference = abs(steps_of(run)[0]["loss"] - loss) / loss
    text = f"{loss:.4f} of {tuple(first.shape)} ids given as labels, relative difference {difference:.1e}"
    (report.ok if difference <= LOSS_TOLERANCE else report.failed)(name + ", first loss", text)
    compare_steps(report, name, run, peer, plain_logits_of)


def check_new_rows(report, name, options, work, model):
    """The peer trains all rows, but the old ones have no gradient and no decay."""
    run = work / "new-rows"
    pretrain(
        options.kuoci, model, run, "embeddings", "--first-new-row", NEW_ROW, "--weight-decay", 0, "--steps", STEPS,
        "--record-batches", run / "batches")
    peer = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    is_new = (torch.arange(peer.config.vocab_size) >= NEW_ROW).float().unsqueeze(1)
    for key, parameter in peer.named_parameters():
        parameter.requires_grad = "embed_tokens" in key or "lm_head" in key
        if parameter.requires_grad:
            parameter.register_hook(lambda gradient: gradient * is_new)
    compare_steps(report, name, run, peer, decay=0)
    ours, start = load_file(run / "model/model.safetensors"), load_file(model / "model.safetensors")
    theirs = peer.state_dict()
    compare_weights(report, name + ", weights", [(key, ours[key], theirs[key]) for key in sorted(ours)])
    matrices = [key for key in sorted(start) if "embed_tokens" in key or "lm_head" in key]
    report.equal(
        name + ", old rows bit for bit", f"{NEW_ROW} rows of {len(matrices)} matrices",
        [(key, "changed", "kept") for key in matrices if not torch.equal(ours[key][:NEW_ROW], start[key][:NEW_ROW])])


def check_schedules(report, name, options, work, model):
    """Step s after warm-up has the rate of transformers' step s - 1; warm-up itself is ours."""
    steps, warmup, decay, rate, minimum = 24, 4, 8, 1e-3, 0.1
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    wsd = dict(
        num_warmup_steps=warmup, num_decay_steps=decay, num_training_steps=steps, decay_type="linear",
        min_lr_ratio=minimum)
    peers = {
        "cosine": transformers.get_cosine_schedule_with_warmup(optimizer, warmup, steps),
        "linear": transformers.get_linear_schedule_with_warmup(optimizer, warmup, steps),
        "constant": transformers.get_constant_schedule_with_warmup(optimizer, warmup),
        "wsd": transformers.get_wsd_schedule(optimizer, **wsd),
    }
    worst = 0.0
    for shape, peer in peers.items():
        run = work / f"schedule-{shape}"
        floor = minimum if shape == "wsd" else 0
        harness.kuoci(
            options.kuoci, "pretrain", "--model", model, "--text", harness.ROOT / "corpora/sample.zh.txt", "--stage",
            "lora", "--train-rows", "none", "--out", run, "--batch-size", 1, "--block-size", 8, "--learning-rate", rate,
            "--schedule", shape, "--warmup-steps", warmup, "--decay-steps", decay, "--steps", steps,
            "--minimum-learning-rate-ratio", floor, "--progress", "none")
        for line in steps_of(run)[warmup:]:
            theirs = rate * peer.lr_lambdas[0](line["step"] - 1)
            worst = max(worst, abs(line["learning_rate"] - theirs) / rate)
    text = f"{len(peers)} schedules of {steps} steps, largest difference {worst:.1e} of the peak"
    (report.ok if worst < 1e-12 else report.failed)(name, text)


def check_lora_variant(report, name, options, work, model):
    """rsLoRA with new rows: PEFT opens the adapter and computes what we do."""
    run = work / "variant"
    pretrain(
        options.kuoci, model, run, "lora", "--rslora", "--train-rows", "new", "--first-new-row", NEW_ROW, "--steps",
        STEPS)
    check_adapter_opens(report, name + ", opened", options, work, run / "adapter", model)
    check_adapter_logits(report, name + ", logits", options, work, run / "adapter", model)


def stage_2_run(options, work, model, rows="all"):
    """Stage 2 of a model, run once for all checks that look at it."""
    run = work / f"stage2-{model.name}"
    if not run.exists():
        pretrain(
            options.kuoci, model, run, "lora", "--train-rows", rows, "--steps", STEPS, "--record-batches", run / "batches")
    return run


def check_lora(report, name, options, work, model, rows="all"):
    initial = work / f"initial-{model.name}"
    pretrain(options.kuoci, model, initial, "lora", "--train-rows", rows, "--steps", 0)
    run = stage_2_run(options, work, model, rows)
    base = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    peer = peft.PeftModel.from_pretrained(base, initial / "adapter", is_trainable=True)
    compare_steps(report, name, run, peer)
    ours = load_file(run / "adapter/adapter_model.safetensors")
    theirs = peft.get_peft_model_state_dict(peer, save_embedding_layers=False)
    compare_weights(report, name + ", weights", [(key, ours[key], theirs[key]) for key in sorted(theirs)])


def check_gradients(report, name, options, work, model, stage, lora_rows="all"):
    """The gradient of every tensor that trains, by name: with a beta of 0 it is what AdamW keeps as its mean.

    That of the second step: in the first one LoRA's B is zero, and with it every gradient of A. The peer takes that step
    from our weights: AdamW's first step is as large for the tiniest gradient as for any, so two starts whose gradients
    differ in rounding alone would be apart by whole steps where a gradient is next to nothing.
    """
    run = work / f"gradients-{stage}-{model.name}"
    rows = {"embeddings": ["--train-rows", "all"], "lora": ["--train-rows", lora_rows], "full": []}[stage]
    pretrain(
        options.kuoci, model, run, stage, *rows, "--steps", 2, "--adam-beta1", 0, "--save-every", 1, "--record-batches",
        run / "batches")
    peer = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    if stage == "lora":
        initial = work / f"initial-gradients-{model.name}"
        pretrain(options.kuoci, model, initial, "lora", *rows, "--steps", 0)
        peer = peft.PeftModel.from_pretrained(peer, initial / "adapter", is_trainable=True)
    elif stage == "embeddings":
        for key, parameter in peer.named_parameters():
            parameter.requires_grad = "embed_tokens" in key or "lm_head" in key
    # PEFT's files leave out the adapter's name.
    trained = {
        key.replace(".default.", ".").replace(".modules_to_save.", "."): parameter
        for key, parameter in peer.named_parameters() if parameter.requires_grad}
    start = load_file(run / "checkpoints/step-000001/weights.safetensors")
    if start.keys() != trained.keys():
        report.failed(name, f"other tensors train: {sorted(start.keys() ^ trained.keys())[:4]}")
        return
    with torch.no_grad():
        for key, parameter in trained.items():
            parameter.copy_(start[key])
    replay(peer, sorted((run / "batches").glob("*.safetensors"))[1:], logits_of)
    suffix = ".exp_avg"
    state = load_file(run / "checkpoints/step-000002/optimizer.safetensors")
    ours = {key.removesuffix(suffix): value for key, value in state.items() if key.endswith(suffix)}
    theirs = {key: parameter.grad for key, parameter in trained.items()}
    worst = max((float((ours[key] - theirs[key]).abs().max() / theirs[key].abs().max()), key) for key in sorted(ours))
    text = f"{len(ours)} tensors, largest difference {worst[0]:.1e} of the tensor's largest, in {worst[1]}"
    (report.ok if worst[0] <= GRADIENT_TOLERANCE else report.failed)(name, text)


def check_half(report, name, options, work, model, stage):
    """bf16 beside transformers and PEFT under autocast, and, to judge the difference by, both beside our float32."""
    runs = {precision: work / f"half-{stage}-{precision}" for precision in ("bf16", "fp32")}
    for precision, run in runs.items():
        pretrain(
            options.kuoci, model, run, stage, "--train-rows", "all", "--steps", STEPS, "--precision", precision,
            "--record-batches", run / "batches")
    peer = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    if stage == "lora":
        initial = work / f"initial-{model.name}"
        if not initial.exists():
            pretrain(options.kuoci, model, initial, "lora", "--train-rows", "all", "--steps", 0)
        peer = peft.PeftModel.from_pretrained(peer, initial / "adapter", is_trainable=True)
    else:
        for key, parameter in peer.named_parameters():
            parameter.requires_grad = "embed_tokens" in key or "lm_head" in key
    compare_steps(
        report, name, runs["bf16"], peer, half_logits_of, loss_bar=HALF_LOSS_TOLERANCE, norm_bar=HALF_NORM_TOLERANCE)
    ours, exact = (steps_of(runs[precision]) for precision in ("bf16", "fp32"))
    difference = largest_relative(ours, exact, "loss")
    text = f"losses of {STEPS} steps, largest relative difference {difference:.1e}"
    (report.ok if 0 < difference <= HALF_LOSS_TOLERANCE else report.failed)(name + ", beside our float32", text)


def check_quantized(report, name, options, work, model):
    """Moments in 8 bits beside bitsandbytes' AdamW8bit, and, over more steps, beside our own in float32."""
    run = work / "quantized"
    more = ["--train-rows", "all", "--optimizer-state", "int8"]
    pretrain(options.kuoci, model, run, "embeddings", *more, "--steps", STEPS, "--record-batches", run / "batches")
    peer = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    for key, parameter in peer.named_parameters():
        parameter.requires_grad = "embed_tokens" in key or "lm_head" in key
    compare_steps(
        report, name, run, peer, loss_bar=QUANTIZED_TOLERANCE, norm_bar=10 * QUANTIZED_TOLERANCE, adamw=quantized_adamw)
    for stage in ("embeddings", "lora", "full"):
        last = {}
        for state in ("fp32", "int8"):
            long = work / f"long-{stage}-{state}"
            rows = ["--train-rows", "all"] if stage != "full" else []
            pretrain(options.kuoci, model, long, stage, *rows, "--optimizer-state", state, "--steps", LONG)
            last[state] = sum(step["loss"] for step in steps_of(long)[-10:]) / 10
        text = f"mean loss of steps {LONG - 9} to {LONG}: fp32 {last['fp32']:.4f}, int8 {last['int8']:.4f}"
        (report.ok if abs(last["int8"] / last["fp32"] - 1) <= 0.02 else report.failed)(f"{name}, {stage}", text)


def check_stage_2_adapter(report, name, check, options, work, model):
    check(report, name, options, work, stage_2_run(options, work, model) / "adapter", model)


def check_adapter_opens(report, name, options, work, adapter, model):
    base = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    config = peft.LoraConfig.from_pretrained(adapter)
    config.inference_mode = False
    wrapped = peft.get_peft_model(base, config)
    state = load_file(adapter / "adapter_model.safetensors")
    result = peft.set_peft_model_state_dict(wrapped, dict(state))
    # The adapter is a part of the model: only its own places count as missing.
    missing = [key for key in result.missing_keys if "lora_" in key or "modules_to_save" in key]
    trainable = sum(parameter.requires_grad for parameter in wrapped.parameters())
    if missing or result.unexpected_keys or trainable != len(state):
        report.failed(name, f"{missing[:3]} missing, {result.unexpected_keys[:3]} unexpected, {trainable} trainable")
    else:
        report.ok(name, f"{len(state)} tensors, 0 missing, 0 unexpected keys")


def compare_logits(report, name, program, peer, work, *parameters):
    path = work / "logits.safetensors"
    path.unlink(missing_ok=True)
    harness.kuoci(
        program, "evaluate", *parameters, "--text", f"zh={harness.ROOT / 'corpora/sample.zh.txt'}",
        "--block-size", BLOCK, "--logits", path, "--format", "json", "--progress", "none")
    dump = load_file(path)
    with torch.no_grad():
        theirs = logits_of(peer.eval(), dump)
    difference = float((dump["logits"] - theirs).abs().max())
    text = f"{theirs.numel()} logits up to {float(theirs.abs().max()):.2f}, largest difference {difference:.1e}"
    (report.ok if difference <= LOGIT_TOLERANCE else report.failed)(name, text)


def check_adapter_logits(report, name, options, work, adapter, model):
    base = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
    peer = peft.PeftModel.from_pretrained(base, adapter)
    compare_logits(report, name, options.kuoci, peer, work, "--model", model, "--adapter", adapter)


def check_named_targets(report, name, options, work, model):
    """Adapters of PEFT's that name their modules by a pattern, by all-linear, by layers."""
    ways = {
        "pattern": {"target_modules": r".*\.layers\.[02]\..*\.(q|up)_proj"},
        "all-linear": {"target_modules": "all-linear", "modules_to_save": ["lm_head"]},
        "layers": {"target_modules": ["self_attn.v_proj"], "layers_to_transform": [1]},
    }
    for way, words in ways.items():
        base = transformers.LlamaForCausalLM.from_pretrained(model, dtype=torch.float32)
        peer = peft.get_peft_model(base, peft.LoraConfig(r=4, lora_alpha=9, task_type="CAUSAL_LM", **words))
        with torch.no_grad():
            for parameter in peer.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.02)
        adapter = work / f"named-{way}"
        peer.save_pretrained(adapter)
        check_adapter_logits(report, f"{name}, {way}", options, work, adapter, model)


def check_export_logits(report, name, options, work, model):
    out = work / "export"
    adapter = stage_2_run(options, work, model) / "adapter"
    harness.kuoci(options.kuoci, "export", "--model", model, "--adapter", adapter, "--out", out)
    peer = transformers.AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    compare_logits(report, name, options.kuoci, peer, work, "--model", out)


def main():
    options = harness.arguments(__doc__.splitlines()[0])
    report = harness.Report(options.only)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory(prefix="kuoci-training-") as directory:
        work = pathlib.Path(directory)
        model, tied, plain, biased = (work / name for name in ("model", "tied", "plain", "biased"))
        make_model(model, base_tokenizer(options))
        make_model(tied, base_tokenizer(options), tie_word_embeddings=True, rope_theta=500000.0)
        make_model(plain, base_tokenizer(options), num_key_value_heads=8)
        make_model(biased, base_tokenizer(options), attention_bias=True, mlp_bias=True)
        report.run("stage 1 of transformers", check_embeddings, options, work, model)
        report.run("stage 2 of transformers and PEFT", check_lora, options, work, model)
        for variant in (plain, biased):
            report.run(f"stage 1 of transformers, {variant.name}", check_embeddings, options, work, variant)
            report.run(f"stage 2 of transformers and PEFT, {variant.name}", check_lora, options, work, variant)
        for variant in (model, plain, biased, tied):
            for stage in ("embeddings", "lora", "full"):
                # PEFT makes two matrices of a tied one that it trains.
                rows = "none" if variant is tied else "all"
                report.run(
                    f"gradient of every tensor that trains, {stage}, {variant.name}", check_gradients, options, work, variant,
                    stage, rows)
        for stage in ("embeddings", "lora"):
            report.run(f"bf16 of autocast, {stage}", check_half, options, work, model, stage)
        report.run("moments in 8 bits", check_quantized, options, work, model)
        report.run("stage 2 of transformers and PEFT, tied, LoRA alone", check_lora, options, work, tied, "none")
        for name, check in (
            ("the adapter opens in PEFT", check_adapter_opens), ("logits with the adapter equal PEFT's", check_adapter_logits)):
            report.run(name, check_stage_2_adapter, check, options, work, model)
        report.run("logits with an adapter of PEFT's", check_named_targets, options, work, model)
        report.run("new rows alone", check_new_rows, options, work, model)
        report.run("rsLoRA with new rows", check_lora_variant, options, work, model)
        report.run("learning rates of transformers", check_schedules, options, work, model)
        report.run("logits of the exported checkpoint equal transformers'", check_export_logits, options, work, model)
        report.run("documents that see one another", check_across_documents, options, work, model)
        (work / "tied-runs").mkdir()
        report.run("stage 1 of transformers, tied", check_embeddings, options, work / "tied-runs", tied)
    report.end()


if __name__ == "__main__":
    main()
