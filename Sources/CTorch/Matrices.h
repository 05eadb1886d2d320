// Matrix products of tensors on libtorch's own threads, from those of Products.h on one thread.
#pragma once

#include "Products.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace kuoci {

using at::Tensor;

// Calls body(index) for all indices below `count` on libtorch's own threads. Its parallel_for is a template that needs the
// caller to be compiled with libtorch's OpenMP; TensorIterator runs a loop over as many elements as there are threads from
// inside the library. Each thread takes the next few indices when it is done with its last: cores that others use as well
// are not equally fast.
template <class Body>
void for_each_index(int64_t count, Body body) {
    int64_t threads = std::min<int64_t>(at::get_num_threads(), count), few = std::max<int64_t>(count / (threads * 16 + 1), 1);
    std::atomic<int64_t> next = 0;
    auto work = [&] {
        for (int64_t start; (start = next.fetch_add(few)) < count;)
            for (int64_t index = start; index < std::min(start + few, count); index++) body(index);
    };
    if (threads <= 1) return work();
    Tensor shares = at::empty({threads}, at::kByte), visited = at::empty_like(shares);
    auto iterator = at::TensorIteratorConfig().add_output(visited).add_const_input(shares).build();
    auto loop = [&](char **, const int64_t *, int64_t) { work(); };
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
