// The operations that are ours: with gradients formed by hand, and matrix products whose bits do not depend on threads.
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace kuoci {

using at::Tensor;

Tensor linear(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias);
Tensor adapted_linear(
    const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias, const Tensor &down, const Tensor &up,
    double scaling, double dropout, uint64_t seed);
Tensor rms_norm(const Tensor &x, const Tensor &weight, double epsilon);
Tensor swiglu(const Tensor &gate, const Tensor &up);
Tensor rotate(const Tensor &x, const Tensor &cosines, const Tensor &sines);
/// Each token attends to the earlier ones of its document (`kuoci_attention`).
Tensor document_attention(
    const Tensor &queries, const Tensor &keys, const Tensor &values, const Tensor &documents, int64_t width);
/// For each `part` elements the sum of their squares, in an order that the number of threads does not change.
void sum_squares(const Tensor &values, int64_t part, double *sums);
/// `rows` undefined: a frozen matrix.
Tensor embedding(const Tensor &ids, const Tensor &weight, const Tensor &rows, int64_t first_row);
Tensor linear_cross_entropy(
    const Tensor &hidden, const Tensor &weight, const Tensor &rows, int64_t first_row, const Tensor &targets,
    int64_t chunk);

}  // namespace kuoci
