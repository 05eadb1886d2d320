// Matrix products of tensors on libtorch's own threads, from those of Products.h on one thread.
#pragma once

#include "Products.h"

#include <ATen/ATen.h>
#include <ATen/TensorIterator.h>

#include <vector>

namespace kuoci {

using at::Tensor;

// Calls body(index) for all indices below `count` on libtorch's own threads. Its parallel_for is a template that needs the
// caller to be compiled with libtorch's OpenMP; TensorIterator runs the same loop from inside the library.
template <class Body>
void for_each_index(int64_t count, Body body) {
    Tensor indices = at::arange(count, at::kLong);
    Tensor visited = at::empty({count}, at::kLong);
    auto iterator = at::TensorIteratorConfig().add_output(visited).add_const_input(indices).build();
    auto loop = [&](char **data, const int64_t *strides, int64_t length) {
        for (int64_t i = 0; i < length; i++) body(*reinterpret_cast<int64_t *>(data[1] + i * strides[1]));
    };
    iterator.for_each(loop, 1);
}

// Memory of this thread for `count` floats, until the next call with the same tag.
template <int tag>
float *scratch(int64_t count) {
    thread_local std::vector<float> memory;
    if (static_cast<int64_t>(memory.size()) < count) memory.resize(count);
    return memory.data();
}

inline int64_t quotient_up(int64_t count, int64_t divisor) { return (count + divisor - 1) / divisor; }

// A tensor of two dimensions and any strides.
MatrixView view(const Tensor &matrix);

// The rows from `row` on.
MatrixView from_row(const MatrixView &matrix, int64_t row);

// c [m, n] (+)= a [m, k] times b [k, n]. a and c are in single precision, c's rows contiguous; b of any type and strides.
void multiply(const Tensor &a, const Tensor &b, const Tensor &c, bool accumulates = false);

// a [m, k] times b [k, n], as a new matrix.
Tensor multiplied(const Tensor &a, const Tensor &b);

}  // namespace kuoci
