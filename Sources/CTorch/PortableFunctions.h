// The operations of Functions.h out of libtorch's own: for any device, in the type of what they are given. Weights are
// converted to it; those that train stay in single precision, and so do their gradients.
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace kuoci::portable {

using at::Tensor;

Tensor linear(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias);
Tensor adapted_linear(
    const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias, const Tensor &down, const Tensor &up,
    double scaling, double dropout, uint64_t seed);
/// Computed in single precision, and then converted to `type`.
Tensor rms_norm(const Tensor &x, const Tensor &weight, double epsilon, at::ScalarType type);
Tensor rotate(const Tensor &x, const Tensor &cosines, const Tensor &sines);
/// In single precision. `rows` undefined: a frozen matrix.
Tensor embedding(const Tensor &ids, const Tensor &weight, const Tensor &rows, int64_t first_row);
/// Products in the type of `hidden`, softmax and sum in single precision.
Tensor linear_cross_entropy(
    const Tensor &hidden, const Tensor &weight, const Tensor &rows, int64_t first_row, const Tensor &targets,
    int64_t chunk);
/// The Euclidean norm of all tensors together, none of which is on the CPU.
double norm(const std::vector<Tensor> &tensors);

}  // namespace kuoci::portable
