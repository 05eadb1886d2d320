"""Writes Tests/Fixtures/optimizer: bitsandbytes' dynamic maps, what its quantization makes of numbers, and AdamW steps.

The quantization is that of bitsandbytes' default backend, which has the code nearest to a value as its CUDA kernels do; that
of its CPU backend looks codes up in 65,536 equal parts of [-1, 1], and so misses the small ones. The step is that of its
CUDA and Triton kernels, in numpy, one rounding an operation.
"""

import pathlib
import sys

import bitsandbytes.functional
import numpy
import torch
from safetensors.numpy import save_file

BLOCK, STEPS = 256, 6
RATE, BETAS, EPSILON, DECAY = 0.01, (0.9, 0.95), 1e-8, 0.1
F = numpy.float32
MAPS = {name: bitsandbytes.functional.create_dynamic_map(signed=name == "signed") for name in ("signed", "unsigned")}
QUANTIZE = torch.ops.bitsandbytes.quantize_blockwise.default


def quantize(values, name):
    """Codes and the largest sizes of blocks; of a last, shorter block as if it were filled up with zeros."""
    whole = torch.zeros(-(-len(values) // BLOCK) * BLOCK)
    whole[: len(values)] = torch.from_numpy(values)
    codes, absmax = QUANTIZE._op_dk(torch._C.DispatchKey.CompositeExplicitAutograd, whole, MAPS[name], BLOCK)
    return codes.numpy()[: len(values)], absmax.numpy()


def dequantize(codes, absmax, name):
    return MAPS[name].numpy()[codes] * numpy.repeat(absmax, BLOCK)[: len(codes)]


class Quantized:
    """A parameter with its moments; the rule for squares is ours."""

    def __init__(self, values):
        self.values = values.copy()
        self.mean = numpy.zeros(len(values), numpy.uint8), numpy.zeros(-(-len(values) // BLOCK), F)
        self.square = numpy.zeros_like(self.mean[0]), numpy.zeros_like(self.mean[1])

    def step(self, number, gradient, rate):
        beta1, beta2 = BETAS
        correction = (1 - beta2**number) ** 0.5
        size = F(rate * correction / (1 - beta1**number))
        mean = dequantize(*self.mean, "signed") * F(beta1) + gradient * F(1 - beta1)
        square = dequantize(*self.square, "unsigned") * F(beta2) + gradient * gradient * F(1 - beta2)
        self.values = self.values * F(1 - rate * DECAY) - mean / (numpy.sqrt(square) + F(EPSILON * correction)) * size
        self.mean = quantize(mean, "signed")
        codes, absmax = quantize(square, "unsigned")
        self.square = numpy.maximum(codes, (square > 0).astype(numpy.uint8)), absmax


def numbers(generator, count):
    """Of many sizes, some of them zero."""
    values = generator.standard_normal(count) * 10.0 ** generator.uniform(-6, 1, count)
    values[generator.random(count) < 0.05] = 0
    return values.astype(F)


def hard_gradients(name):
    """A block of zeros, tiny ones, and what makes a moment the middle between two codes, or a number beside it."""
    codes = MAPS[name].numpy()
    middles = (codes[:-1] + codes[1:]) / F(2)
    middles = middles if name == "signed" else numpy.sqrt(middles)
    around = [numpy.append(numpy.nextafter(middles, F(to)), F(1)) for to in (-2, 2)]
    tiny = numpy.full(BLOCK, 1e-42 if name == "signed" else 1e-21, F)
    return numpy.concatenate([numpy.zeros(BLOCK, F), tiny, numpy.append(middles, F(1)), *around])


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(7)
    tensors = {}
    # What a step without memory, its betas zero, makes of a gradient.
    for name in MAPS:
        gradient = numpy.concatenate([hard_gradients(name), numbers(generator, 12 * BLOCK)])
        codes, absmax = quantize(gradient if name == "signed" else gradient * gradient, name)
        if name == "unsigned":
            codes = numpy.maximum(codes, (gradient * gradient > 0).astype(numpy.uint8))
        tensors |= {f"{name}.gradient": gradient, f"{name}.codes": codes, f"{name}.absmax": absmax}
    # Seventeen blocks, the last one with 37 values.
    count = 16 * BLOCK + 37
    gradients = numpy.stack([numbers(generator, count) for _ in range(STEPS)])
    # Whole blocks without a gradient, at first or for a while.
    gradients[:, : 2 * BLOCK] = 0
    gradients[2:5, 3 * BLOCK : 5 * BLOCK] = 0
    parameter = Quantized(numbers(generator, count))
    tensors |= {"step.start": parameter.values, "step.gradients": gradients}
    for step in range(STEPS):
        parameter.step(step + 1, gradients[step], RATE / (step + 1))
    tensors |= {"step.values": parameter.values, "step.exp_avg": parameter.mean[0], "step.exp_avg.absmax": parameter.mean[1],
                "step.exp_avg_sq": parameter.square[0], "step.exp_avg_sq.absmax": parameter.square[1]}
    save_file(tensors, out / "adamw8bit.safetensors")


if __name__ == "__main__":
    main()
