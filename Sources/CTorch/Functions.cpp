// Gradients are formed by hand where that saves memory or passes over it.
#include "Functions.h"

#include "Matrices.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

namespace kuoci {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Loops over rows keep this many partial sums, so that the order of additions, and with it every bit of the result,
// is the same at any vector width.
constexpr int64_t lanes = 16;

// Compiled for each vector width; the loader picks.
#if defined(__x86_64__) && defined(__clang__)
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif

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
    for_each_index(width == 0 ? 0 : input.numel() / width, [=](int64_t row) {
        // Both halves of the seed count, and the high bits of an index beyond 2^32.
        uint64_t first = row * width;
        uint32_t mixed = static_cast<uint32_t>(seed) ^ static_cast<uint32_t>(seed >> 32) * 0x27D4EB2Fu
            ^ static_cast<uint32_t>(first >> 32) * 0x165667B1u;
        drop(from + first, to + first, width, static_cast<uint32_t>(first), mixed, threshold, scale);
    });
    return output;
}

// The sums of a matrix's columns, each one chain from the first row to the last, on any number of threads.
Tensor column_sums(const Tensor &matrix) {
    Tensor input = matrix.contiguous(), sums = at::zeros({matrix.size(1)}, matrix.options());
    int64_t rows = matrix.size(0), width = matrix.size(1);
    const float *from = input.const_data_ptr<float>();
    float *to = sums.mutable_data_ptr<float>();
    for_each_index(quotient_up(width, panel_width), [=](int64_t panel) {
        int64_t first = panel * panel_width, end = std::min(width, first + panel_width);
        for (int64_t row = 0; row < rows; row++)
            for (int64_t j = first; j < end; j++) to[j] += from[row * width + j];
    });
    return sums;
}

// x [N, in] times weight [out, in] transposed, plus a bias (`kuoci_linear`).
Tensor projected(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
    Tensor output = at::empty({x.size(0), weight.size(0)}, x.options());
    if (bias) output.copy_(bias->to(at::kFloat).expand_as(output));
    multiply(x, weight.t(), output, bias.has_value());
    return output;
}

struct Linear : public Function<Linear> {
    static Tensor forward(
        AutogradContext *context, const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
        // The input is needed for the weight's gradient alone.
        context->save_for_backward({weight.requires_grad() ? x : Tensor(), weight});
        context->saved_data["trains_x"] = x.requires_grad();
        context->saved_data["trains_weight"] = weight.requires_grad();
        context->saved_data["trains_bias"] = bias && bias->requires_grad();
        return projected(x.contiguous(), weight, bias);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        Tensor gradient = gradients[0].contiguous();
        variable_list results(3);
        if (context->saved_data["trains_x"].toBool()) results[0] = multiplied(gradient, saved[1]);
        if (context->saved_data["trains_weight"].toBool()) results[1] = multiplied(gradient.t(), saved[0]);
        if (context->saved_data["trains_bias"].toBool()) results[2] = column_sums(gradient);
        return results;
    }
};

// A frozen projection with LoRA on it. Keeps its input and the low-rank product; what was dropped is found again from
// the seed (`kuoci_adapted_linear`).
struct AdaptedLinear : public Function<AdaptedLinear> {
    static Tensor forward(
        AutogradContext *context, const Tensor &x, const Tensor &down, const Tensor &up, const Tensor &weight,
        const std::optional<Tensor> &bias, double scaling, double probability, int64_t seed) {
        Tensor input = x.contiguous();
        Tensor kept = probability > 0 ? dropped(input, probability, static_cast<uint64_t>(seed)) : input;
        Tensor low = multiplied(kept, down.t()).mul_(scaling);
        context->save_for_backward({input, down, up, weight, low});
        context->saved_data["trains_x"] = x.requires_grad();
        context->saved_data["scaling"] = scaling;
        context->saved_data["probability"] = probability;
        context->saved_data["seed"] = seed;
        Tensor output = projected(input, weight, bias);
        multiply(low, up.t(), output, true);
        return output;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &down = saved[1], &up = saved[2], &weight = saved[3], &low = saved[4];
        double scaling = context->saved_data["scaling"].toDouble();
        double probability = context->saved_data["probability"].toDouble();
        auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
        Tensor gradient = gradients[0].contiguous();
        Tensor dlow = multiplied(gradient, up).mul_(scaling);
        Tensor kept = probability > 0 ? dropped(x, probability, seed) : x;
        variable_list results(8);
        results[1] = multiplied(dlow.t(), kept);
        results[2] = multiplied(gradient.t(), low);
        if (context->saved_data["trains_x"].toBool()) {
            Tensor through = multiplied(dlow, down);
            if (probability > 0) through = dropped(through, probability, seed);
            multiply(gradient, weight, through, true);
            results[0] = through;
        }
        return results;
    }
};

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
        for_each_index(x.size(0), [=](int64_t row) {
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
        for_each_index(x.size(0), [=](int64_t row) {
            const float *in = a + row * width, *out = g + row * width;
            float *result = to + row * width;
            for (int64_t j = 0; j < width; j++) result[j] = out[j] * w[j];
            float factor = scale[row], mean = dot(result, in, width) / width * factor * factor;
            for (int64_t j = 0; j < width; j++) result[j] = factor * (result[j] - in[j] * mean);
        });
        if (context->needs_input_grad(1)) dweight = column_sums(gradient * x * scales.unsqueeze(1));
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

// Rotary positions (`kuoci_rotate`). The rotation is orthogonal: its gradient is the rotation back.
Tensor rotated(const Tensor &x, const Tensor &cosines, const Tensor &sines, float direction) {
    int64_t width = cosines.size(1), half = width / 2, heads = x.size(1) / width;
    Tensor input = x.contiguous(), output = at::empty_like(input);
    const float *from = input.const_data_ptr<float>();
    const float *c = cosines.const_data_ptr<float>(), *s = sines.const_data_ptr<float>();
    float *to = output.mutable_data_ptr<float>();
    for_each_index(x.size(0), [=](int64_t row) {
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

Tensor linear(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
    return Linear::apply(x, weight, bias);
}

Tensor adapted_linear(
    const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias, const Tensor &down, const Tensor &up,
    double scaling, double dropout, uint64_t seed) {
    return AdaptedLinear::apply(x, down, up, weight, bias, scaling, dropout, static_cast<int64_t>(seed));
}

Tensor rms_norm(const Tensor &x, const Tensor &weight, double epsilon) { return RMSNorm::apply(x, weight, epsilon); }

Tensor swiglu(const Tensor &gate, const Tensor &up) { return SwiGLU::apply(gate, up); }

Tensor rotate(const Tensor &x, const Tensor &cosines, const Tensor &sines) { return Rotation::apply(x, cosines, sines); }

void sum_squares(const Tensor &values, int64_t part, double *sums) {
    const float *from = values.const_data_ptr<float>();
    int64_t count = values.numel();
    for_each_index(quotient_up(count, part), [=](int64_t i) {
        const float *start = from + i * part;
        sums[i] = dot(start, start, std::min(part, count - i * part));
    });
}

}  // namespace kuoci
