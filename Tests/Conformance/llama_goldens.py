"""Writes Tests/Fixtures/llama: tiny LLaMA checkpoints and what transformers and PEFT compute with them.

Each document is run alone, as a sequence of its own: that packed documents do not see each other is thereby part of
what the goldens say.
"""

import json
import os
import sys

import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

STEPS, RATE, DECAY, CLIP = 10, 0.01, 0.1, 1.0
LENGTHS = [[5, 7], [12]]  # documents of each block
VARIANTS = {
    "grouped": dict(num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False),
    "tied": dict(num_attention_heads=2, num_key_value_heads=2, head_dim=6, tie_word_embeddings=True,
                 attention_bias=True, mlp_bias=True, rope_theta=500.0),
}


def make_model(options):
    config = LlamaConfig(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
                         max_position_embeddings=64, rms_norm_eps=1e-5, **options)
    model = LlamaForCausalLM._from_config(config, attn_implementation="eager").float()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if "norm" in name else 0.0, 0.3)
    return model


def make_batch(step):
    generator = torch.Generator().manual_seed(100 + step)
    batch = {"tokens": [], "targets": [], "positions": [], "documents": []}
    for lengths in LENGTHS:
        for number, length in enumerate(lengths):
            tokens = torch.randint(0, 40, (length + 1,), generator=generator).tolist()
            targets = tokens[1:]
            targets[1] = -1
            batch["tokens"] += tokens[:-1]
            batch["targets"] += targets
            batch["positions"] += range(length)
            batch["documents"] += [number] * length
    return batch


def documents(batch):
    start = 0
    for length in sum(LENGTHS, []):
        yield slice(start, start + length)
        start += length


def logits(model, batch):
    parts = [model(input_ids=torch.tensor([batch["tokens"][part]])).logits[0] for part in documents(batch)]
    return torch.cat(parts)


def loss_sum(model, batch):
    targets = torch.tensor(batch["targets"])
    return torch.nn.functional.cross_entropy(logits(model, batch), targets, ignore_index=-1, reduction="sum")


def train(model, batches):
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": DECAY},
         {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0}],
        lr=RATE, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for batch in batches:
        count = sum(target >= 0 for target in batch["targets"])
        loss = loss_sum(model, batch) / count
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, CLIP).item())
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return {"losses": losses, "norms": norms}


def copies(named):
    return {name: tensor.detach().clone().contiguous() for name, tensor in named}


def write_variant(directory, options):
    torch.manual_seed(1)
    model = make_model(options)
    model.save_pretrained(directory)
    start = copies(model.named_parameters())
    os.remove(f"{directory}/generation_config.json")
    batches = [make_batch(step) for step in range(STEPS)]
    tensors = {"logits": logits(model, batches[0]).detach()}
    loss = loss_sum(model, batches[0])
    loss.backward()
    tensors |= {f"gradient.{name}": parameter.grad.clone() for name, parameter in model.named_parameters()}
    facts = {"batches": batches, "loss": loss.item(), "rate": RATE, "decay": DECAY, "clip": CLIP}

    def restart():
        model.load_state_dict(start, strict=False)
        model.zero_grad()
        model.requires_grad_(False)

    restart()
    model.requires_grad_(True)
    facts["full"] = train(model, batches)

    restart()
    model.model.embed_tokens.requires_grad_(True)
    model.lm_head.requires_grad_(True)
    facts["stage1"] = train(model, batches)
    tensors |= copies((f"stage1.{name}", p) for name, p in model.named_parameters() if p.requires_grad)

    restart()
    lora = LoraConfig(r=4, lora_alpha=12, lora_dropout=0.0, task_type="CAUSAL_LM",
                      target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
                      modules_to_save=["embed_tokens", "lm_head"], ensure_weight_tying=True)
    adapted = get_peft_model(model, lora)

    def adapter_state():
        state = get_peft_model_state_dict(adapted, save_embedding_layers=False)
        if options["tie_word_embeddings"]:
            state.pop("base_model.model.lm_head.weight", None)
        return state.items()

    tensors |= copies((f"stage2.start.{name}", tensor) for name, tensor in adapter_state() if "lora_A" in name)
    facts["stage2"] = train(adapted, batches)
    tensors |= copies((f"stage2.{name}", tensor) for name, tensor in adapter_state())
    save_file(tensors, f"{directory}/golden.safetensors")
    with open(f"{directory}/golden.json", "w") as file:
        json.dump(facts, file)
        file.write("\n")
    print(directory, facts["loss"], facts["full"]["losses"][-1], facts["stage1"]["losses"], facts["stage2"]["losses"])


for name, options in VARIANTS.items():
    write_variant(os.path.join(sys.argv[1], name), options)
