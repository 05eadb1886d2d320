"""Writes Tests/Fixtures/llama/generation.json: what transformers generates with the tiny LLaMA checkpoints there.

For each variant the greedy ids after some prompts, with a repetition penalty, and the probabilities that its logits
processors leave of random logits under several rules.
"""

import json
import sys

import torch
from transformers import LlamaForCausalLM

from generation import processors

PENALTY, NEW_TOKENS = 1.3, 24
PROMPTS = [[1, 17, 4], [1], [1, 5, 9, 33, 2, 8, 21, 30]]
RULES = [  # temperature, top-k, top-p, repetition penalty
    (0.2, 40, 0.9, 1.3), (0.2, 40, 0.9, 1.1), (1.0, 5, 1.0, 1.0), (1.5, 0, 0.7, 1.3), (0.7, 3, 0.5, 2.0),
    (1.0, 0, 1.0, 0.8), (0.9, 100, 0.01, 1.3)]
SEEN = [3, 3, 7, 11, 0, 39]


def greedy(model, prompt):
    ids = model.generate(
        torch.tensor([prompt]), do_sample=False, repetition_penalty=PENALTY, max_new_tokens=NEW_TOKENS,
        eos_token_id=None, pad_token_id=0)
    return ids[0, len(prompt):].tolist()


def processed(logits, rule):
    """In double precision, as transformers orders them for generate."""
    scores = processors(rule)(torch.tensor([SEEN]), torch.tensor([logits], dtype=torch.float64))
    return scores.softmax(-1)[0].tolist()


def main(directory):
    torch.manual_seed(5)
    # Rounded, so that single precision holds them exactly.
    logits = [[round(value * 1024) / 1024 for value in (torch.randn(40) * 3).tolist()] for _ in range(4)]
    facts = {"penalty": PENALTY, "prompts": PROMPTS, "seen": SEEN, "logits": logits}
    facts["greedy"] = {}
    for variant in ("grouped", "tied"):
        model = LlamaForCausalLM.from_pretrained(f"{directory}/{variant}", dtype=torch.float32).eval()
        facts["greedy"][variant] = [greedy(model, prompt) for prompt in PROMPTS]
    facts["rules"] = [
        {"rule": rule, "probabilities": [processed(row, rule) for row in logits]} for rule in RULES]
    with open(f"{directory}/generation.json", "w") as file:
        json.dump(facts, file)
        file.write("\n")


main(sys.argv[1])
