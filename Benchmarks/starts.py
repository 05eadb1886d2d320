"""How long new rows of LLaMA-7B's shape take to start, without the model around them, beside transformers and PyTorch."""

import argparse
import json
import pathlib
import shutil
import tempfile

from process import header, measure, python, row

ROOT = pathlib.Path(__file__).resolve().parents[1]
OLD, NEW, WIDTH = 32000, 17953, 4096

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


def seconds_of_rows(program, methods, model, tokenizer, text, out):
    """What `kuoci init-compare` says that the rows of each method took."""
    measure([program, "init-compare", "--model", model, "--tokenizer", tokenizer, "--text", text, "--inits", ",".join(methods),
             "--init-norm", "keep", "--format", "json", "--progress", "none"], output_path=out)
    return {start["init_input"]: start["row_seconds"] for start in json.loads(out.read_text())["starts"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kuoci", default=str(ROOT / ".build/release/kuoci"), help="the program to measure")
    parser.add_argument("--tokenizer", default=str(ROOT / "out/tokenizer"), help="a merge of the base with 49,953 entries")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kuoci-bench-") as work:
        model, text, out = (pathlib.Path(work) / name for name in ("model", "text.txt", "out.json"))
        measure(python(MAKE, model, OLD, WIDTH))
        shutil.copy(ROOT / ".deps/base/tokenizer.model", model)
        text.write_text("人工智能\n")
        methods = {"subword-mean": "subword-mean, beside a loop over sentencepiece and PyTorch",
                   "covariance": "covariance, beside transformers' mean_resizing"}
        ours = seconds_of_rows(options.kuoci, methods, model, options.tokenizer, text, out)
        print(f"{NEW} new rows of width {WIDTH} after {OLD}, input and head, bfloat16: seconds for the rows alone")
        header("peer")
        for method, name in methods.items():
            measure(python(PEER, method, model, pathlib.Path(options.tokenizer) / "tokenizer.model", NEW), output_path=out)
            row(name, ours[method], json.loads(out.read_text().splitlines()[-1]), "s", False)


if __name__ == "__main__":
    main()
