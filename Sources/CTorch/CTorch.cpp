// The only C++ of the project. It holds no policy: what is computed when is decided in Swift.
#include "CTorch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>

#include <cmath>
#include <string>
#include <vector>

struct kuoci_tensor {
    at::Tensor value;
};

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

thread_local std::string last_error;

// The one place where exceptions end: each C function does its work inside.
template <class Body>
int32_t guarded(Body &&body) noexcept {
    try {
        body();
        return 0;
    } catch (const c10::Error &error) {
        last_error = error.what_without_backtrace();
    } catch (const std::exception &error) {
        last_error = error.what();
    } catch (...) {
        last_error = "unknown C++ exception";
    }
    return 1;
}

template <class Body>
int32_t produce(kuoci_tensor **result, Body &&body) noexcept {
    return guarded([&] { *result = new kuoci_tensor{body()}; });
}

at::ScalarType scalar_type(int32_t element) {
    switch (element) {
    case kuoci_float32: return at::kFloat;
    case kuoci_bfloat16: return at::kBFloat16;
    case kuoci_float16: return at::kHalf;
    case kuoci_int64: return at::kLong;
    default: TORCH_CHECK(false, "unknown element type ", element);
    }
}

Tensor optional_tensor(const kuoci_tensor *tensor) { return tensor ? tensor->value : Tensor(); }

std::vector<Tensor> tensors(kuoci_tensor *const *handles, int32_t count) {
    std::vector<Tensor> values;
    values.reserve(count);
    for (int32_t i = 0; i < count; i++) values.push_back(handles[i]->value);
    return values;
}

bool trains(const Tensor &tensor) {
    return tensor.defined() && tensor.requires_grad() && at::GradMode::is_enabled();
}

// Calls body(row) for all rows on libtorch's own threads. Its parallel_for is a template that needs this file to be
// compiled with libtorch's OpenMP; TensorIterator runs the same loop from inside the library.
template <class Body>
void for_each_row(int64_t rows, Body body) {
    Tensor indices = at::arange(rows, at::kLong);
    Tensor visited = at::empty({rows}, at::kLong);
    auto iterator = at::TensorIteratorConfig().add_output(visited).add_const_input(indices).build();
    auto loop = [&](char **data, const int64_t *strides, int64_t count) {
        for (int64_t i = 0; i < count; i++) body(*reinterpret_cast<int64_t *>(data[1] + i * strides[1]));
    };
    iterator.for_each(loop, 1);
}

// Loops over rows keep this many partial sums, so that the order of additions, and with it every bit of the result,
// is the same at any vector width.
constexpr int64_t lanes = 16;

// Compiled for each vector width; the loader picks.
#if defined(__x86_64__) && defined(__clang__)
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif

// exp(x) for x <= 0 within 2 units in the last place (Cephes' polynomial); below -87 it is exp(-87), about 1e-38.
inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : x;
    float n = x * 1.44269504088896341f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer in the low bits
    int32_t bits;
    memcpy(&bits, &n, 4);
    n -= 12582912.0f;
    float r = x - n * 0.693359375f - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t power = (bits - 0x4B400000 + 127) << 23;
    float scale;
    memcpy(&scale, &power, 4);
    return p * scale;
}

VECTORIZED float largest(const float *values, int64_t count) {
    float best[lanes];
    for (int64_t j = 0; j < lanes; j++) best[j] = -INFINITY;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t j = 0; j < lanes; j++) best[j] = values[i + j] > best[j] ? values[i + j] : best[j];
    for (; i < count; i++) best[0] = values[i] > best[0] ? values[i] : best[0];
    for (int64_t j = 1; j < lanes; j++) best[0] = best[j] > best[0] ? best[j] : best[0];
    return best[0];
}

// Replaces each value by exp(value - shift); returns their sum.
VECTORIZED float exponentiate(float *values, int64_t count, float shift) {
    float sums[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t j = 0; j < lanes; j++) {
            float value = exponential(values[i + j] - shift);
            values[i + j] = value;
            sums[j] += value;
        }
    for (; i < count; i++) sums[0] += values[i] = exponential(values[i] - shift);
    double total = 0;
    for (int64_t j = 0; j < lanes; j++) total += sums[j];
    return static_cast<float>(total);
}

// Turns a row of logits into sum * (softmax - one_hot(target)) and returns the row's cross-entropy. The division by
// the sum is left to whoever multiplies with the row: there it costs D operations instead of V.
double softmax_row(float *logits, int64_t count, int64_t target, float *inverse_sum) {
    float shift = largest(logits, count);
    float at_target = logits[target] - shift;
    float sum = exponentiate(logits, count, shift);
    logits[target] -= sum;
    *inverse_sum = 1.0f / sum;
    return std::log(static_cast<double>(sum)) - at_target;
}

// The head's matrix product and the loss in one (`kuoci_linear_cross_entropy`).
struct LinearCrossEntropy : public Function<LinearCrossEntropy> {
    static Tensor forward(
        AutogradContext *context, const Tensor &hidden, const Tensor &rows, const Tensor &weight, const Tensor &targets,
        int64_t first_row, int64_t chunk, bool trains_hidden, bool trains_rows) {
        Tensor counted = targets.ge(0).nonzero().squeeze(1);
        bool is_dense = counted.size(0) == targets.size(0);
        Tensor x = is_dense ? hidden : hidden.index_select(0, counted);
        Tensor wanted = is_dense ? targets : targets.index_select(0, counted);
        int64_t count = x.size(0), vocabulary = weight.size(0);
        TORCH_CHECK(count == 0 || wanted.max().item<int64_t>() < vocabulary, "a target is outside of the vocabulary");
        const int64_t *target = wanted.const_data_ptr<int64_t>();
        Tensor transposed = weight.t(), trained = weight.narrow(0, first_row, vocabulary - first_row);
        Tensor dx = trains_hidden ? at::empty_like(x) : Tensor();
        Tensor drows;
        if (trains_rows) drows = count > 0 ? at::empty_like(trained) : at::zeros_like(trained);
        // Rows start on cache lines: with 49,953 floats to a row MKL's products ran at 39 and 62 GFLOP/s, padded to
        // 49,968 at 70 and 83.
        int64_t stride = (vocabulary + 15) / 16 * 16;
        Tensor buffer = at::empty({std::min(chunk, count), stride}, x.options());
        Tensor inverse = at::empty({count}, x.options());
        std::vector<double> losses(count);
        for (int64_t start = 0; start < count; start += chunk) {
            int64_t length = std::min(chunk, count - start);
            Tensor part = x.narrow(0, start, length), logits = buffer.narrow(0, 0, length).narrow(1, 0, vocabulary);
            at::mm_out(logits, part, transposed);
            float *values = logits.mutable_data_ptr<float>(), *inverses = inverse.mutable_data_ptr<float>() + start;
            for_each_row(length, [&](int64_t row) {
                losses[start + row] =
                    softmax_row(values + row * stride, vocabulary, target[start + row], inverses + row);
            });
            Tensor scale = inverse.narrow(0, start, length).unsqueeze(1);
            if (trains_hidden) {
                Tensor gradient = dx.narrow(0, start, length);
                at::mm_out(gradient, logits, weight).mul_(scale);
            }
            if (trains_rows) {
                Tensor scaled = part * scale, columns = logits.narrow(1, first_row, vocabulary - first_row).t();
                start == 0 ? at::mm_out(drows, columns, scaled) : drows.addmm_(columns, scaled);
            }
        }
        double sum = 0;
        for (double loss : losses) sum += loss;
        if (trains_hidden && !is_dense) dx = at::zeros_like(hidden).index_copy_(0, counted, dx);
        context->saved_data["hidden"] = dx;
        context->saved_data["rows"] = drows;
        return at::full({}, sum, x.options());
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        float scale = gradients[0].item<float>();
        variable_list results(8);
        const char *names[] = {"hidden", "rows"};
        for (int i = 0; i < 2; i++) {
            Tensor gradient = context->saved_data[names[i]].toTensor();
            if (gradient.defined()) results[i] = scale == 1 ? gradient : gradient.mul_(scale);
        }
        // What autograd keeps as the leaf's gradient must not be held here too, or it would be copied.
        context->saved_data.clear();
        return results;
    }
};

// Rows of a matrix of which the rows from first_row on are trained (`kuoci_embedding`).
struct Embedding : public Function<Embedding> {
    static Tensor forward(
        AutogradContext *context, const Tensor &rows, const Tensor &weight, const Tensor &ids, int64_t first_row) {
        context->saved_data["ids"] = ids;
        context->saved_data["first_row"] = first_row;
        context->saved_data["rows"] = rows.size(0);
        return weight.index_select(0, ids);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        Tensor ids = context->saved_data["ids"].toTensor() - context->saved_data["first_row"].toInt();
        Tensor gradient = gradients[0].contiguous();
        Tensor rows = at::zeros({context->saved_data["rows"].toInt(), gradient.size(1)}, gradient.options());
        // One thread, tokens in order: a row's sum must not depend on the number of threads.
        const int64_t *id = ids.const_data_ptr<int64_t>();
        const float *from = gradient.const_data_ptr<float>();
        float *to = rows.mutable_data_ptr<float>();
        int64_t width = gradient.size(1);
        for (int64_t i = 0; i < gradient.size(0); i++) {
            if (id[i] < 0) continue;
            for (int64_t j = 0; j < width; j++) to[id[i] * width + j] += from[i * width + j];
        }
        return {rows, Tensor(), Tensor(), Tensor()};
    }
};

// Dropout whose mask is a hash of the seed and the element's index: the same on any thread, and made anew for the
// gradient instead of being kept (`kuoci_adapted_linear`).
VECTORIZED void drop(
    const float *from, float *to, int64_t count, uint32_t index, uint32_t seed, uint32_t threshold, float scale) {
    for (int64_t i = 0; i < count; i++) {
        uint32_t hash = (index + static_cast<uint32_t>(i)) * 0x9E3779B9u ^ seed;  // then MurmurHash3's finalizer
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6Bu;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35u;
        hash ^= hash >> 16;
        to[i] = hash >= threshold ? from[i] * scale : 0.0f;
    }
}

Tensor dropped(const Tensor &x, double probability, uint64_t seed) {
    Tensor input = x.contiguous(), output = at::empty_like(input);
    int64_t width = input.size(-1);
    const float *from = input.const_data_ptr<float>();
    float *to = output.mutable_data_ptr<float>();
    auto threshold = static_cast<uint32_t>(probability * 4294967296.0);
    auto scale = static_cast<float>(1 / (1 - probability));
    for_each_row(width == 0 ? 0 : input.numel() / width, [=](int64_t row) {
        // Both halves of the seed count, and the high bits of an index beyond 2^32.
        uint64_t first = row * width;
        uint32_t mixed = static_cast<uint32_t>(seed) ^ static_cast<uint32_t>(seed >> 32) * 0x27D4EB2Fu
            ^ static_cast<uint32_t>(first >> 32) * 0x165667B1u;
        drop(from + first, to + first, width, static_cast<uint32_t>(first), mixed, threshold, scale);
    });
    return output;
}

// The sum over j of a[j] * b[j], in the fixed order of the lanes.
VECTORIZED float dot(const float *a, const float *b, int64_t count) {
    float sums[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t j = 0; j < lanes; j++) sums[j] += a[i + j] * b[i + j];
    for (; i < count; i++) sums[0] += a[i] * b[i];
    float total = 0;
    for (int64_t j = 0; j < lanes; j++) total += sums[j];
    return total;
}

// Keeps its input and one number per row (`kuoci_rms_norm`).
struct RMSNorm : public Function<RMSNorm> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, double epsilon) {
        Tensor input = x.contiguous(), output = at::empty_like(input), scales = at::empty({x.size(0)}, x.options());
        int64_t width = x.size(1);
        const float *from = input.const_data_ptr<float>(), *w = weight.const_data_ptr<float>();
        float *to = output.mutable_data_ptr<float>(), *scale = scales.mutable_data_ptr<float>();
        for_each_row(x.size(0), [=](int64_t row) {
            const float *a = from + row * width;
            float factor = 1 / std::sqrt(dot(a, a, width) / width + static_cast<float>(epsilon));
            for (int64_t j = 0; j < width; j++) to[row * width + j] = w[j] * (a[j] * factor);
            scale[row] = factor;
        });
        context->save_for_backward({input, weight, scales});
        return output;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &scales = saved[2];
        Tensor gradient = gradients[0].contiguous(), dx = at::empty_like(x), dweight;
        int64_t width = x.size(1);
        const float *a = x.const_data_ptr<float>(), *g = gradient.const_data_ptr<float>();
        const float *w = weight.const_data_ptr<float>(), *scale = scales.const_data_ptr<float>();
        float *to = dx.mutable_data_ptr<float>();
        for_each_row(x.size(0), [=](int64_t row) {
            const float *in = a + row * width, *out = g + row * width;
            float *result = to + row * width;
            for (int64_t j = 0; j < width; j++) result[j] = out[j] * w[j];
            float factor = scale[row], mean = dot(result, in, width) / width * factor * factor;
            for (int64_t j = 0; j < width; j++) result[j] = factor * (result[j] - in[j] * mean);
        });
        if (context->needs_input_grad(1)) dweight = (gradient * x * scales.unsqueeze(1)).sum(0);
        return {dx, dweight, Tensor()};
    }
};

// Keeps only its two inputs (`kuoci_swiglu`).
struct SwiGLU : public Function<SwiGLU> {
    static Tensor forward(AutogradContext *context, const Tensor &gate, const Tensor &up) {
        context->save_for_backward({gate, up});
        return at::silu(gate).mul_(up);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &gate = saved[0], &up = saved[1], &gradient = gradients[0];
        return {at::silu_backward(gradient * up, gate), at::silu(gate).mul_(gradient)};
    }
};

// A frozen projection with LoRA on it. Keeps its input and the low-rank product; what was dropped is found again from
// the seed (`kuoci_adapted_linear`).
struct AdaptedLinear : public Function<AdaptedLinear> {
    static Tensor forward(
        AutogradContext *context, const Tensor &x, const Tensor &down, const Tensor &up, const Tensor &weight,
        const std::optional<Tensor> &bias, double scaling, double probability, int64_t seed) {
        Tensor kept = probability > 0 ? dropped(x, probability, static_cast<uint64_t>(seed)) : x;
        Tensor low = at::mm(kept, down.t());
        Tensor output = bias ? at::addmm(*bias, x, weight.t()) : at::mm(x, weight.t());
        context->save_for_backward({x, down, up, weight, low});
        context->saved_data["scaling"] = scaling;
        context->saved_data["probability"] = probability;
        context->saved_data["seed"] = seed;
        return output.addmm_(low, up.t(), 1, scaling);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &down = saved[1], &up = saved[2], &weight = saved[3], &low = saved[4];
        double scaling = context->saved_data["scaling"].toDouble();
        double probability = context->saved_data["probability"].toDouble();
        auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
        Tensor gradient = gradients[0].contiguous();
        Tensor dlow = at::mm(gradient, up).mul_(scaling);
        Tensor kept = probability > 0 ? dropped(x, probability, seed) : x;
        variable_list results(8);
        results[1] = at::mm(dlow.t(), kept);
        results[2] = at::mm(gradient.t(), low).mul_(scaling);
        if (context->needs_input_grad(0)) {
            Tensor through = at::mm(dlow, down);
            if (probability > 0) through = dropped(through, probability, seed);
            results[0] = through.addmm_(gradient, weight);
        }
        return results;
    }
};

// Rotary positions (`kuoci_rotate`). The rotation is orthogonal: its gradient is the rotation back.
Tensor rotated(const Tensor &x, const Tensor &cosines, const Tensor &sines, float direction) {
    int64_t width = cosines.size(1), half = width / 2, heads = x.size(1) / width;
    Tensor input = x.contiguous(), output = at::empty_like(input);
    const float *from = input.const_data_ptr<float>();
    const float *c = cosines.const_data_ptr<float>(), *s = sines.const_data_ptr<float>();
    float *to = output.mutable_data_ptr<float>();
    for_each_row(x.size(0), [=](int64_t row) {
        for (int64_t head = 0; head < heads; head++) {
            const float *a = from + (row * heads + head) * width;
            float *b = to + (row * heads + head) * width;
            for (int64_t j = 0; j < half; j++) {
                float cosine = c[row * width + j], sine = direction * s[row * width + j];
                b[j] = a[j] * cosine - a[j + half] * sine;
                b[j + half] = a[j + half] * cosine + a[j] * sine;
            }
        }
    });
    return output;
}

struct Rotation : public Function<Rotation> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &cosines, const Tensor &sines) {
        context->saved_data["cosines"] = cosines;
        context->saved_data["sines"] = sines;
        return rotated(x, cosines, sines, 1);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        Tensor cosines = context->saved_data["cosines"].toTensor(), sines = context->saved_data["sines"].toTensor();
        return {rotated(gradients[0], cosines, sines, -1), Tensor(), Tensor()};
    }
};

}  // namespace

extern "C" {

const char *kuoci_last_error(void) { return last_error.c_str(); }

int32_t kuoci_borrow(
    const void *bytes, int32_t element, const int64_t *shape, int32_t rank, void (*release)(void *), void *context,
    kuoci_tensor **result) {
    bool is_owned = false;
    int32_t status = produce(result, [&] {
        auto options = at::TensorOptions().dtype(scalar_type(element));
        auto deleter = [release, context](void *) { release(context); };
        Tensor tensor = at::from_blob(const_cast<void *>(bytes), at::IntArrayRef(shape, rank), deleter, options);
        is_owned = true;
        return tensor;
    });
    if (status && !is_owned) release(context);
    return status;
}

int32_t kuoci_copy_in(
    const void *bytes, int32_t element, const int64_t *shape, int32_t rank, kuoci_tensor **result) {
    return produce(result, [&] {
        auto options = at::TensorOptions().dtype(scalar_type(element));
        return at::from_blob(const_cast<void *>(bytes), at::IntArrayRef(shape, rank), options).clone();
    });
}

int32_t kuoci_zeros(int32_t element, const int64_t *shape, int32_t rank, kuoci_tensor **result) {
    return produce(result, [&] { return at::zeros(at::IntArrayRef(shape, rank), scalar_type(element)); });
}

void kuoci_tensor_free(kuoci_tensor *tensor) { delete tensor; }

int32_t kuoci_rank(const kuoci_tensor *tensor) { return static_cast<int32_t>(tensor->value.dim()); }

int64_t kuoci_size(const kuoci_tensor *tensor, int32_t dimension) { return tensor->value.sizes()[dimension]; }

int32_t kuoci_element(const kuoci_tensor *tensor) {
    switch (tensor->value.scalar_type()) {
    case at::kFloat: return kuoci_float32;
    case at::kBFloat16: return kuoci_bfloat16;
    case at::kHalf: return kuoci_float16;
    case at::kLong: return kuoci_int64;
    default: return -1;
    }
}

int32_t kuoci_copy_out(const kuoci_tensor *tensor, void *bytes, int64_t capacity) {
    return guarded([&] {
        Tensor values = tensor->value.detach().contiguous();
        TORCH_CHECK(static_cast<int64_t>(values.nbytes()) <= capacity, "the buffer is smaller than the tensor");
        if (values.nbytes() > 0) memcpy(bytes, values.const_data_ptr(), values.nbytes());
    });
}

bool kuoci_set_gradients(bool enabled) {
    bool previous = at::GradMode::is_enabled();
    at::GradMode::set_enabled(enabled);
    return previous;
}

int32_t kuoci_require_gradient(kuoci_tensor *tensor, bool required) {
    return guarded([&] { tensor->value.requires_grad_(required); });
}

bool kuoci_requires_gradient(const kuoci_tensor *tensor) { return tensor->value.requires_grad(); }

int32_t kuoci_gradient(const kuoci_tensor *tensor, kuoci_tensor **result) {
    return guarded([&] {
        const Tensor &gradient = tensor->value.grad();
        *result = gradient.defined() ? new kuoci_tensor{gradient} : nullptr;
    });
}

int32_t kuoci_clear_gradient(kuoci_tensor *tensor) {
    return guarded([&] { tensor->value.mutable_grad() = Tensor(); });
}

int32_t kuoci_backward(const kuoci_tensor *loss, float scale) {
    return guarded([&] { loss->value.backward(at::full_like(loss->value, scale)); });
}

int32_t kuoci_detach(const kuoci_tensor *tensor, kuoci_tensor **result) {
    return produce(result, [&] { return tensor->value.detach(); });
}

int32_t kuoci_convert(const kuoci_tensor *tensor, int32_t element, bool copies, kuoci_tensor **result) {
    return produce(result, [&] { return tensor->value.to(scalar_type(element), false, copies); });
}

int32_t kuoci_assign(kuoci_tensor *tensor, const kuoci_tensor *values) {
    return guarded([&] {
        TORCH_CHECK(tensor->value.sizes() == values->value.sizes(), "values of shape ", values->value.sizes(),
                    " assigned to a tensor of shape ", tensor->value.sizes());
        at::NoGradGuard guard;
        tensor->value.copy_(values->value);
    });
}

int32_t kuoci_reshape(const kuoci_tensor *tensor, const int64_t *shape, int32_t rank, kuoci_tensor **result) {
    return produce(result, [&] { return tensor->value.reshape(at::IntArrayRef(shape, rank)); });
}

int32_t kuoci_transpose(const kuoci_tensor *tensor, int32_t first, int32_t second, kuoci_tensor **result) {
    return produce(result, [&] { return tensor->value.transpose(first, second); });
}

int32_t kuoci_narrow(
    const kuoci_tensor *tensor, int32_t dimension, int64_t start, int64_t length, kuoci_tensor **result) {
    return produce(result, [&] { return tensor->value.narrow(dimension, start, length); });
}

int32_t kuoci_add(const kuoci_tensor *first, const kuoci_tensor *second, float scale, kuoci_tensor **result) {
    return produce(result, [&] { return at::add(first->value, second->value, scale); });
}

int32_t kuoci_linear(
    const kuoci_tensor *x, const kuoci_tensor *weight, const kuoci_tensor *bias, kuoci_tensor **result) {
    return produce(result, [&] {
        if (bias) return at::addmm(bias->value, x->value, weight->value.t());
        return at::mm(x->value, weight->value.t());
    });
}

int32_t kuoci_adapted_linear(
    const kuoci_tensor *x, const kuoci_tensor *weight, const kuoci_tensor *bias, const kuoci_tensor *down,
    const kuoci_tensor *up, double scaling, double dropout, uint64_t seed, kuoci_tensor **result) {
    return produce(result, [&] {
        TORCH_CHECK(dropout >= 0 && dropout < 1, "a dropout of ", dropout);
        std::optional<Tensor> offset;
        if (bias) offset = bias->value;
        return AdaptedLinear::apply(
            x->value, down->value, up->value, weight->value, offset, scaling, dropout, static_cast<int64_t>(seed));
    });
}

int32_t kuoci_rms_norm(const kuoci_tensor *x, const kuoci_tensor *weight, double epsilon, kuoci_tensor **result) {
    return produce(result, [&] { return RMSNorm::apply(x->value, weight->value, epsilon); });
}

int32_t kuoci_swiglu(const kuoci_tensor *gate, const kuoci_tensor *up, kuoci_tensor **result) {
    return produce(result, [&] { return SwiGLU::apply(gate->value, up->value); });
}

int32_t kuoci_rotary_table(
    const kuoci_tensor *positions, int64_t width, double base, kuoci_tensor **cosines, kuoci_tensor **sines) {
    return guarded([&] {
        Tensor exponents = at::arange(0, width, 2, at::kLong).to(at::kFloat) / width;
        Tensor frequencies = at::pow(base, exponents).reciprocal();
        Tensor angles = positions->value.to(at::kFloat).unsqueeze(1) * frequencies.unsqueeze(0);
        Tensor both = at::cat({angles, angles}, 1);
        auto first = std::make_unique<kuoci_tensor>(kuoci_tensor{both.cos()});
        *sines = new kuoci_tensor{both.sin()};
        *cosines = first.release();
    });
}

int32_t kuoci_rotate(
    const kuoci_tensor *x, const kuoci_tensor *cosines, const kuoci_tensor *sines, kuoci_tensor **result) {
    return produce(result, [&] { return Rotation::apply(x->value, cosines->value, sines->value); });
}

int32_t kuoci_document_mask(const kuoci_tensor *documents, kuoci_tensor **result) {
    return produce(result, [&] {
        const Tensor &ids = documents->value;
        int64_t length = ids.size(1);
        Tensor allowed = ids.unsqueeze(2).eq(ids.unsqueeze(1))
                             .logical_and_(at::ones({length, length}, at::kBool).tril_()).unsqueeze_(1);
        return at::zeros(allowed.sizes(), at::kFloat).masked_fill_(allowed.logical_not_(), -INFINITY);
    });
}

int32_t kuoci_attention(
    const kuoci_tensor *queries, const kuoci_tensor *keys, const kuoci_tensor *values, const kuoci_tensor *mask,
    int64_t width, kuoci_tensor **result) {
    return produce(result, [&] {
        auto heads = [&](const Tensor &x) {
            return x.view({x.size(0), x.size(1), x.size(2) / width, width}).transpose(1, 2);
        };
        Tensor q = heads(queries->value), k = heads(keys->value), v = heads(values->value);
        int64_t group = q.size(1) / k.size(1);
        if (group > 1) {
            k = k.repeat_interleave(group, 1);
            v = v.repeat_interleave(group, 1);
        }
        std::optional<Tensor> bias;
        if (mask) bias = mask->value;
        Tensor attended = at::scaled_dot_product_attention(q, k, v, bias, 0.0, !mask);
        return attended.transpose(1, 2).reshape(queries->value.sizes());
    });
}

int32_t kuoci_embedding(
    const kuoci_tensor *ids, const kuoci_tensor *weight, const kuoci_tensor *rows, int64_t first_row,
    kuoci_tensor **result) {
    return produce(result, [&] {
        Tensor leaf = optional_tensor(rows);
        if (!trains(leaf)) return weight->value.detach().index_select(0, ids->value);
        return Embedding::apply(leaf, weight->value.detach(), ids->value, first_row);
    });
}

int32_t kuoci_linear_cross_entropy(
    const kuoci_tensor *hidden, const kuoci_tensor *weight, const kuoci_tensor *rows, int64_t first_row,
    const kuoci_tensor *targets, int64_t chunk, kuoci_tensor **result) {
    return produce(result, [&] {
        Tensor leaf = optional_tensor(rows);
        bool trains_rows = trains(leaf);
        TORCH_CHECK(chunk > 0, "a chunk needs at least one token");
        return LinearCrossEntropy::apply(
            hidden->value, trains_rows ? leaf : weight->value.detach(), weight->value.detach(), targets->value, first_row, chunk,
            trains(hidden->value), trains_rows);
    });
}

int32_t kuoci_clip_gradients(kuoci_tensor *const *parameters, int32_t count, double limit, double *norm) {
    return guarded([&] {
        std::vector<Tensor> gradients;
        for (int32_t i = 0; i < count; i++)
            if (parameters[i]->value.grad().defined()) gradients.push_back(parameters[i]->value.grad());
        double sum = 0;
        for (const Tensor &gradient : gradients) {
            double length = at::linalg_vector_norm(gradient).item<float>();
            sum += length * length;
        }
        double total = std::sqrt(sum);
        // PyTorch's clip_grad_norm_ adds the same 1e-6.
        double scale = limit / (total + 1e-6);
        if (limit > 0 && scale < 1)
            for (Tensor &gradient : gradients) gradient.mul_(scale);
        *norm = total;
    });
}

int32_t kuoci_adamw_step(
    kuoci_tensor *const *parameters, kuoci_tensor *const *means, kuoci_tensor *const *squares,
    kuoci_tensor *const *steps, int32_t count, double rate, double beta1, double beta2, double decay, double epsilon) {
    return guarded([&] {
        at::NoGradGuard guard;
        std::vector<Tensor> values, gradients, first, second, counts;
        for (int32_t i = 0; i < count; i++) {
            if (!parameters[i]->value.grad().defined()) continue;
            values.push_back(parameters[i]->value);
            gradients.push_back(parameters[i]->value.grad());
            first.push_back(means[i]->value);
            second.push_back(squares[i]->value);
            counts.push_back(steps[i]->value.add_(1));
        }
        if (values.empty()) return;
        at::_fused_adamw_(
            values, gradients, first, second, {}, counts, rate, beta1, beta2, decay, epsilon, false, false);
    });
}

int32_t kuoci_set_threads(int32_t count) {
    return guarded([&] { at::set_num_threads(count); });
}

int32_t kuoci_threads(void) { return at::get_num_threads(); }

}  // extern "C"
