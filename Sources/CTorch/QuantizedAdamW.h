// AdamW whose moments are kept in 8 bits, as bitsandbytes' blockwise AdamW8bit keeps them: each block is read, moved on in
// single precision, and quantized again.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace kuoci {

using at::Tensor;

/// What is the same for all numbers of a step.
struct AdamWStep {
    float beta1, rest1, beta2, rest2;
    /// What decay leaves of a number.
    float kept;
    float rate, epsilon;

    /// Step `number`, from 1 on, with the corrections of both moments.
    AdamWStep(double number, double rate, double beta1, double beta2, double decay, double epsilon);
};

/// A moment: a code for each value, and for each `quantized_block` values the size that they are shares of.
struct QuantizedMoment {
    Tensor codes, absmax;
};

/// Moves `values` by `gradients`, vectors in single precision on the CPU.
void step_quantized(
    const AdamWStep &step, const Tensor &values, const Tensor &gradients, const QuantizedMoment &mean,
    const QuantizedMoment &square);

namespace portable {

/// The same out of libtorch's operations, on any device.
void step_quantized(
    const AdamWStep &step, const Tensor &values, const Tensor &gradients, const QuantizedMoment &mean,
    const QuantizedMoment &square);

}  // namespace portable
}  // namespace kuoci
