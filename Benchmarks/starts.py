"""How long new rows of LLaMA-7B's shape take to start, without the model around them, beside transformers and PyTorch."""

import argparse
import json
import pathlib
import shutil
import tempfile

from process import header, measure, python, row

ROOT = pathlib.Path(__file__).resolve().parents[1]
OLD, NEW = 32000, 17953
# The width of each start; at 4096 transformers' covariance takes longer than 9 minutes on two cores.
STARTS = {
    "subword-mean": (4096, "subword-mean, a loop over PyTorch rows"),
    "covariance": (1024, "covariance, mean_resizing of transformers"),
}

# One layer, since a model must have one to be measured; the rows are what is timed.
MAKE = """
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
directory, rows, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(0)
config = LlamaConfig(vocab_size=rows, hidden_size=width, intermediate_size=64, num_hidden_layers=1, num_attention_heads=32)
LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(directory)
"""

# Both sides, in the type that is stored; the pieces are given, and the time is that of the rows alone.
PEER = """
import json, sys, time, torch, sentencepiece
from transformers import LlamaForCausalLM
method, directory, tokenizer, new = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
model = LlamaForCausalLM.from_pretrained(directory, dtype=torch.bfloat16)
matrices = [model.lm_head.weight.detach(), model.model.embed_tokens.weight.detach()]
old, width = matrices[0].shape
if method == "subword-mean":
    before = sentencepiece.SentencePieceProcessor(model_file=directory + "/tokenizer.model")
    after = sentencepiece.SentencePieceProcessor(model_file=tokenizer)
    start = time.monotonic()
    pieces = [before.encode(after.id_to_piece(id)) for id in range(old, old + new)]
    for matrix in matrices:
        grown = torch.empty(old + new, width, dtype=matrix.dtype)
        grown[:old] = matrix
        for place, ids in enumerate(pieces):
            grown[old + place] = matrix[ids].float().mean(dim=0)
else:
    start = time.monotonic()
    model.resize_token_embeddings(old + new, mean_resizing=True)
print(json.dumps(time.monotonic() - start))
"""


def seconds_of_rows(program, method, model, tokenizer, text, out):
    """What `kuoci init-compare` says that the rows of a start took."""
    measure([program, "init-compare", "--model", model, "--tokenizer", tokenizer, "--text", text, "--inits", method,
             "--init-norm", "keep", "--format", "json", "--progress", "none"], output_path=out)
    return json.loads(out.read_text())["starts"][0]["row_seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"), help="the program to measure")
    parser.add_argument("--tokenizer", default=str(ROOT / "out/tokenizer"), help="a merge of the base with 49,953 entries")
    options = parser.parse_args()
    print(f"{NEW} new rows after {OLD}, input and head, bfloat16: seconds for the rows alone")
    header("peer")
    with tempfile.TemporaryDirectory(prefix="kuoci-bench-") as work:
        text, out = pathlib.Path(work, "text.txt"), pathlib.Path(work, "out.json")
        text.write_text("人工智能\n")
        for method, (width, name) in STARTS.items():
            model = pathlib.Path(work, method)
            measure(python(MAKE, model, OLD, width))
            shutil.copy(ROOT / ".deps/base/tokenizer.model", model)
            ours = seconds_of_rows(options.kuoci, method, model, options.tokenizer, text, out)
            measure(python(PEER, method, model, pathlib.Path(options.tokenizer) / "tokenizer.model", NEW), output_path=out)
            row(f"{name}, width {width}", ours, json.loads(out.read_text().splitlines()[-1]), "s", False)


if __name__ == "__main__":
    main()
