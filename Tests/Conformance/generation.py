"""Compares `kuoci generate` with transformers: greedy ids, logits with a key-value cache, probabilities, text.

Three small random LLaMAs (plain, grouped-query, tied), each written by transformers.
"""

import json
import pathlib
import shutil
import tempfile
import warnings

import harness

warnings.filterwarnings("ignore")

import sentencepiece
import torch
import transformers
from safetensors.torch import load_file
from transformers.generation import (
    LogitsProcessorList, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

transformers.utils.logging.disable_progress_bar()

VARIANTS = {
    "plain": dict(num_attention_heads=4),
    "grouped-query": dict(num_attention_heads=8, num_key_value_heads=2),
    "tied": dict(num_attention_heads=4, tie_word_embeddings=True, rope_theta=500000.0),
}
PROMPTS = ["人工智能是", "The package manager", "计算机 science and 编程", "a", "龘 é 😀 and\ttabs"]
NEW_TOKENS, PENALTY = 64, 1.3
RULES = [(0.2, 40, 0.9, 1.3), (0.2, 40, 0.9, 1.1), (1.0, 0, 0.5, 1.0), (1.3, 200, 1.0, 1.5)]
LOGIT_TOLERANCE, PROBABILITY_TOLERANCE = 1e-4, 1e-6


def base_tokenizer(options):
    for path in (harness.ROOT / ".deps/base/tokenizer.model", options.shared / "tokenizers/llama-32k.model"):
        if path.exists():
            return path
    raise RuntimeError("no base tokenizer: run `make conformance`, which fetches it")


def make_model(directory, tokenizer, changes):
    torch.manual_seed(7)
    config = transformers.LlamaConfig(
        vocab_size=32000, hidden_size=64, intermediate_size=160, num_hidden_layers=3, max_position_embeddings=256,
        initializer_range=0.08, **changes)
    transformers.LlamaForCausalLM(config).save_pretrained(directory)
    shutil.copy(tokenizer, directory / "tokenizer.model")
    return transformers.LlamaForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()


def generate(program, model, *parameters):
    output = harness.kuoci(program, "generate", "--model", model, "--format", "json", *parameters)
    return [json.loads(line) for line in output.decode("utf-8").splitlines()]


def prompt_ids(pieces, text):
    return [pieces.bos_id(), *pieces.encode(text)]


def check_greedy(report, name, options, model, peer, pieces, penalty):
    prompts = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    ours = generate(
        options.kuoci, model, *prompts, "--greedy", "--repetition-penalty", penalty, "--max-new-tokens", NEW_TOKENS)
    theirs = []
    for prompt in PROMPTS:
        ids = torch.tensor([prompt_ids(pieces, prompt)])
        output = peer.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, repetition_penalty=penalty,
            max_new_tokens=NEW_TOKENS, eos_token_id=pieces.eos_id(), pad_token_id=0)
        theirs.append(output[0, ids.shape[1]:].tolist())
    report.equal(
        name, f"{sum(map(len, theirs))} ids after {len(PROMPTS)} prompts",
        harness.differences([text["ids"] for text in ours], theirs))


def processors(rule):
    """What transformers makes of the options of a rule, in its order."""
    temperature, top_k, top_p, penalty = rule
    result = LogitsProcessorList()
    if penalty != 1:
        result.append(RepetitionPenaltyLogitsProcessor(penalty))
    if temperature != 1:
        result.append(TemperatureLogitsWarper(temperature))
    if top_k:
        result.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        result.append(TopPLogitsWarper(top_p))
    return result


def recorded(options, work, model, prompt, rule):
    """Our ids, and the logits and probabilities before each."""
    path = work / "record.safetensors"
    path.unlink(missing_ok=True)
    temperature, top_k, top_p, penalty = rule
    generate(
        options.kuoci, model, "--prompt", prompt, "--max-new-tokens", NEW_TOKENS, "--temperature", temperature,
        "--top-k", top_k, "--top-p", top_p, "--repetition-penalty", penalty, "--record", path)
    return load_file(path)


def check_sampling(report, name, options, work, model, peer, pieces):
    logits_off = probabilities_off = 0.0
    steps = 0
    for rule in RULES:
        for prompt in PROMPTS[:2]:
            record = recorded(options, work, model, prompt, rule)
            start = prompt_ids(pieces, prompt)
            ids = start + record["ids"].tolist()
            with torch.no_grad():
                whole = peer(input_ids=torch.tensor([ids])).logits[0, len(start) - 1:-1]
            logits_off = max(logits_off, float((whole - record["logits"]).abs().max()))
            for step, row in enumerate(record["logits"].double()):
                seen = torch.tensor([ids[:len(start) + step]])
                expected = processors(rule)(seen, row[None]).softmax(-1)[0]
                difference = (expected - record["probabilities"][step].double()).abs().max()
                probabilities_off = max(probabilities_off, float(difference))
                steps += 1
    text = (
        f"{steps} steps under {len(RULES)} rules, largest difference of logits {logits_off:.1e}, "
        f"of probabilities {probabilities_off:.1e}")
    good = logits_off <= LOGIT_TOLERANCE and probabilities_off <= PROBABILITY_TOLERANCE
    (report.ok if good else report.failed)(name, text)


def check_text(report, name, options, model, pieces):
    """The streamed text is what sentencepiece decodes of prompt and ids, without the prompt."""
    arguments = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    arguments += ["--samples", 4, "--max-new-tokens", NEW_TOKENS, "--temperature", 1.5, "--top-k", 0, "--top-p", 1]
    texts = generate(options.kuoci, model, *arguments)
    unequal = []
    for text in texts:
        start = prompt_ids(pieces, text["prompt"])
        whole, before = pieces.decode(start + text["ids"]), pieces.decode(start)
        if before + text["text"] != whole:
            unequal.append((text["prompt"], text["text"], whole[len(before):]))
    streamed = harness.kuoci(options.kuoci, "generate", "--model", model, *arguments).decode("utf-8")
    expected = "\n".join(text["prompt"] + text["text"] + "\n" for text in texts)
    if streamed != expected:
        unequal.append(("the text format", streamed, expected))
    report.equal(name, f"{len(texts)} texts of {sum(len(text['ids']) for text in texts)} ids", unequal)


def check_repeatable(report, name, options, model):
    """The same seed, the same bytes; so few columns may differ in last bits between threads, which no draw here meets."""
    arguments = ["--prompt", PROMPTS[0], "--prompt", PROMPTS[1], "--samples", 3, "--temperature", 1]
    outputs = {
        (seed, threads): harness.kuoci(
            options.kuoci, "generate", "--model", model, *arguments, "--max-new-tokens", NEW_TOKENS, "--seed", seed,
            "--threads", threads)
        for seed in (1, 2) for threads in (1, 2, 4)}
    unequal = [(key, "other bytes", "") for key in outputs if outputs[key] != outputs[key[0], 1]]
    if outputs[1, 1] == outputs[2, 1]:
        unequal.append(("two seeds", "the same bytes", ""))
    report.equal(name, f"{len(outputs)} runs", unequal)


def main():
    options = harness.arguments(__doc__.splitlines()[0])
    report = harness.Report(options.only)
    with tempfile.TemporaryDirectory(prefix="kuoci-generation-") as directory:
        work = pathlib.Path(directory)
        tokenizer = base_tokenizer(options)
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
        for variant, changes in VARIANTS.items():
            model = work / variant
            peer = make_model(model, tokenizer, changes)
            for penalty in (PENALTY, 1.0):
                report.run(
                    f"greedy ids of transformers, {variant}, penalty {penalty}", check_greedy, options, model, peer,
                    pieces, penalty)
            report.run(
                f"logits and probabilities of transformers, {variant}", check_sampling, options, work, model, peer,
                pieces)
        report.run("text as sentencepiece decodes it", check_text, options, model, pieces)
        report.run("the same seed, the same text", check_repeatable, options, model)
    report.end()


if __name__ == "__main__":
    main()
