// Gradients are left to autograd, but where it would keep what can be made again.
#include "PortableFunctions.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <climits>

namespace kuoci::portable {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

std::optional<Tensor> converted(const std::optional<Tensor> &bias, at::ScalarType type) {
    if (!bias) return std::nullopt;
    return bias->to(type);
}

// x with some elements zeroed and the others scaled up: the same elements as in Functions.cpp, by the same hash. Signed
// integers stand for the unsigned ones there; libtorch's wrap around alike.
Tensor dropped(const Tensor &x, double probability, uint64_t seed) {
    if (probability <= 0) return x;
    auto number = [](uint32_t bits) { return static_cast<int32_t>(bits); };
    auto shifted = [](const Tensor &bits, int64_t count) {
        return bits.bitwise_right_shift(count).bitwise_and_((int64_t{1} << (32 - count)) - 1);
    };
    int64_t width = x.size(1);
    auto index = x.options().dtype(at::kLong).requires_grad(false);
    Tensor first = at::arange(x.size(0), index).mul_(width).unsqueeze_(1);
    Tensor mixed = first.bitwise_right_shift(32).to(at::kInt).mul_(number(0x165667B1u));
    mixed.bitwise_xor_(number(static_cast<uint32_t>(seed) ^ static_cast<uint32_t>(seed >> 32) * 0x27D4EB2Fu));
    Tensor hash = first.to(at::kInt) + at::arange(width, index.dtype(at::kInt));
    hash.mul_(number(0x9E3779B9u)).bitwise_xor_(mixed);
    hash.bitwise_xor_(shifted(hash, 16)).mul_(number(0x85EBCA6Bu));
    hash.bitwise_xor_(shifted(hash, 13)).mul_(number(0xC2B2AE35u));
    hash.bitwise_xor_(shifted(hash, 16));
    // With the highest bit turned over, signed numbers have the order of the unsigned ones.
    auto threshold = static_cast<uint32_t>(probability * 4294967296.0);
    Tensor is_dropped = hash.bitwise_xor_(INT_MIN).lt(number(threshold ^ 0x80000000u));
    return (x * static_cast<float>(1 / (1 - probability))).masked_fill_(is_dropped, 0);
}

// Keeps its input and the low-rank product, as its namesake in Functions.cpp.
struct AdaptedLinear : public Function<AdaptedLinear> {
    static Tensor forward(
        AutogradContext *context, const Tensor &x, const Tensor &down, const Tensor &up, const Tensor &weight,
        const std::optional<Tensor> &bias, double scaling, double probability, int64_t seed) {
        auto type = x.scalar_type();
        Tensor low = at::linear(dropped(x, probability, static_cast<uint64_t>(seed)), down.to(type));
        context->save_for_backward({x, down, up, weight, low});
        context->saved_data["trains_x"] = x.requires_grad();
        context->saved_data["scaling"] = scaling;
        context->saved_data["probability"] = probability;
        context->saved_data["seed"] = seed;
        return at::linear(x, weight.to(type), converted(bias, type)).add_(at::linear(low, up.to(type)), scaling);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &down = saved[1], &up = saved[2], &weight = saved[3], &low = saved[4];
        const Tensor &gradient = gradients[0];
        double scaling = context->saved_data["scaling"].toDouble();
        double probability = context->saved_data["probability"].toDouble();
        auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
        auto type = x.scalar_type();
        Tensor dlow = gradient.mm(up.to(type)).mul_(scaling);
        variable_list results(8);
        results[1] = dlow.t().mm(dropped(x, probability, seed)).to(at::kFloat);
        results[2] = gradient.t().mm(low).to(at::kFloat).mul_(scaling);
        if (context->saved_data["trains_x"].toBool())
            results[0] = dropped(dlow.mm(down.to(type)), probability, seed).add_(gradient.mm(weight.to(type)));
        return results;
    }
};

// The two parts of a vocabulary's matrix, in the type of products; either may have no rows.
struct VocabularyParts {
    Tensor frozen, trained;

    VocabularyParts(const Tensor &weight, const Tensor &rows, int64_t first_row, at::ScalarType type)
        : frozen(weight.narrow(0, 0, first_row).to(type)), trained(rows.detach().to(type)) {}

    int64_t count() const { return frozen.size(0) + trained.size(0); }
    Tensor frozen_columns(const Tensor &logits) const { return logits.narrow(1, 0, frozen.size(0)); }
    Tensor trained_columns(const Tensor &logits) const {
        return logits.narrow(1, frozen.size(0), trained.size(0));
    }

    // The logarithms of the probabilities of x [n, D], in single precision.
    Tensor log_probabilities(const Tensor &x) const {
        Tensor logits = at::empty({x.size(0), count()}, x.options().dtype(at::kFloat));
        frozen_columns(logits).copy_(x.mm(frozen.t()));
        trained_columns(logits).copy_(x.mm(trained.t()));
        return at::log_softmax(logits, 1);
    }
};

// Logits are computed again for the gradients. Formed along with the loss, as in HeadLoss.cpp, these would not yet have
// the scale that half precision needs.
struct LinearCrossEntropy : public Function<LinearCrossEntropy> {
    static Tensor forward(
        AutogradContext *context, const Tensor &hidden, const Tensor &rows, const Tensor &weight,
        const Tensor &targets, int64_t first_row, int64_t chunk) {
        VocabularyParts vocabulary(weight, rows, first_row, hidden.scalar_type());
        Tensor wanted = targets.clamp_min(-1);
        Tensor sum = at::zeros({}, hidden.options().dtype(at::kDouble));
        for (int64_t start = 0; start < hidden.size(0); start += chunk) {
            int64_t count = std::min(chunk, hidden.size(0) - start);
            Tensor logs = vocabulary.log_probabilities(hidden.narrow(0, start, count));
            sum.add_(at::nll_loss(logs, wanted.narrow(0, start, count), {}, at::Reduction::Sum, -1));
        }
        context->save_for_backward({hidden, rows, weight, wanted});
        context->saved_data["first_row"] = first_row;
        context->saved_data["chunk"] = chunk;
        context->saved_data["trains_hidden"] = hidden.requires_grad();
        context->saved_data["trains_rows"] = rows.requires_grad();
        return sum.to(at::kFloat);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &hidden = saved[0], &rows = saved[1], &weight = saved[2], &wanted = saved[3];
        auto type = hidden.scalar_type();
        VocabularyParts vocabulary(weight, rows, context->saved_data["first_row"].toInt(), type);
        int64_t chunk = context->saved_data["chunk"].toInt();
        variable_list results(6);
        if (context->saved_data["trains_hidden"].toBool()) results[0] = at::empty_like(hidden);
        if (context->saved_data["trains_rows"].toBool())
            results[1] = at::zeros(rows.sizes(), rows.options().requires_grad(false));
        for (int64_t start = 0; start < hidden.size(0); start += chunk) {
            int64_t count = std::min(chunk, hidden.size(0) - start);
            Tensor x = hidden.narrow(0, start, count);
            Tensor delta = logit_gradients(
                vocabulary.log_probabilities(x), wanted.narrow(0, start, count), gradients[0]).to(type);
            if (results[0].defined())
                results[0].narrow(0, start, count).copy_(
                    vocabulary.frozen_columns(delta).mm(vocabulary.frozen)
                        .addmm_(vocabulary.trained_columns(delta), vocabulary.trained));
            if (results[1].defined()) results[1].add_(vocabulary.trained_columns(delta).t().mm(x));
        }
        return results;
    }

private:
    static Tensor logit_gradients(const Tensor &logs, const Tensor &wanted, const Tensor &scale) {
        auto [loss, weight] = at::nll_loss_forward(logs, wanted, {}, at::Reduction::Sum, -1);
        Tensor outer = at::nll_loss_backward(scale, logs, wanted, {}, at::Reduction::Sum, -1, weight);
        return at::_log_softmax_backward_data(outer, logs, 1, at::kFloat);
    }
};

}  // namespace

Tensor linear(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
    return at::linear(x, weight.to(x.scalar_type()), converted(bias, x.scalar_type()));
}

Tensor adapted_linear(
    const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias, const Tensor &down, const Tensor &up,
    double scaling, double dropout, uint64_t seed) {
    return AdaptedLinear::apply(x, down, up, weight, bias, scaling, dropout, static_cast<int64_t>(seed));
}

Tensor rms_norm(const Tensor &x, const Tensor &weight, double epsilon, at::ScalarType type) {
    return at::rms_norm(x.to(at::kFloat), {x.size(-1)}, weight, epsilon).to(type);
}

Tensor rotate(const Tensor &x, const Tensor &cosines, const Tensor &sines) {
    int64_t width = cosines.size(1), half = width / 2;
    Tensor heads = x.reshape({x.size(0), -1, width}).to(at::kFloat);
    Tensor a = heads.narrow(2, 0, half), b = heads.narrow(2, half, half);
    Tensor cosine = cosines.narrow(1, 0, half).unsqueeze(1), sine = sines.narrow(1, 0, half).unsqueeze(1);
    return at::cat({a * cosine - b * sine, b * cosine + a * sine}, 2).to(x.scalar_type()).view(x.sizes());
}

Tensor embedding(const Tensor &ids, const Tensor &weight, const Tensor &rows, int64_t first_row) {
    if (!rows.defined()) return at::embedding(weight, ids).to(at::kFloat);
    if (first_row == 0) return at::embedding(rows, ids);
    Tensor trained = at::embedding(rows, (ids - first_row).clamp_min_(0));
    return at::where(ids.ge(first_row).unsqueeze_(1), trained, at::embedding(weight, ids).to(at::kFloat));
}

Tensor linear_cross_entropy(
    const Tensor &hidden, const Tensor &weight, const Tensor &rows, int64_t first_row, const Tensor &targets,
    int64_t chunk) {
    int64_t first = rows.defined() ? first_row : weight.size(0);
    return LinearCrossEntropy::apply(
        hidden, rows.defined() ? rows : weight.narrow(0, first, 0), weight, targets, first, chunk);
}

double norm(const std::vector<Tensor> &tensors) {
    std::vector<Tensor> norms;
    for (const Tensor &tensor : tensors)
        norms.push_back(at::linalg_vector_norm(tensor, 2, std::nullopt, false, at::kDouble));
    // One number is waited for, not one for each tensor.
    return norms.empty() ? 0 : at::linalg_vector_norm(at::stack(norms)).item<double>();
}

}  // namespace kuoci::portable
