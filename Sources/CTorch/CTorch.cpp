// The only C++ of the project. It holds no policy: what is computed when is decided in Swift.
#include "CTorch.h"

#include "Functions.h"
#include "PortableFunctions.h"
#include "QuantizedAdamW.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/cuda.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

struct kuoci_tensor {
    at::Tensor value;
};

namespace {

using at::Tensor;

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
    case kuoci_uint8: return at::kByte;
    default: TORCH_CHECK(false, "unknown element type ", element);
    }
}

at::Device device_at(int32_t number) {
    return number < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(number));
}

thread_local bool prefers_portable = false;

// Whether the kernels of Functions.h can compute with x: the one place where their way and libtorch's part.
bool is_ours(const Tensor &x) { return !prefers_portable && x.is_cpu() && x.scalar_type() == at::kFloat; }

Tensor optional_tensor(const kuoci_tensor *tensor) { return tensor ? tensor->value : Tensor(); }

std::optional<Tensor> optional_bias(const kuoci_tensor *bias) {
    if (!bias) return std::nullopt;
    return bias->value;
}

// Elements of a tensor, in the order in which they lie in memory, sharing it.
Tensor part(const Tensor &tensor, int64_t start, int64_t length) {
    return tensor.detach().view(-1).narrow(0, start, length);
}

// Tells of a leaf that its gradient was added to.
struct Watcher : public torch::autograd::PostAccumulateGradHook {
    void (*added)(void *context, int32_t index);
    void *context;
    int32_t index;

    Watcher(void (*added)(void *, int32_t), void *context, int32_t index)
        : added(added), context(context), index(index) {}

    void operator()(const Tensor &) override { added(context, index); }
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

int32_t kuoci_zeros(
    int32_t element, int32_t device, const int64_t *shape, int32_t rank, kuoci_tensor **result) {
    return produce(result, [&] {
        auto options = at::TensorOptions().dtype(scalar_type(element)).device(device_at(device));
        return at::zeros(at::IntArrayRef(shape, rank), options);
    });
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
    case at::kByte: return kuoci_uint8;
    default: return -1;
    }
}

int32_t kuoci_device(const kuoci_tensor *tensor) {
    return tensor->value.is_cpu() ? -1 : static_cast<int32_t>(tensor->value.get_device());
}

int32_t kuoci_copy_out(const kuoci_tensor *tensor, void *bytes, int64_t capacity) {
    return guarded([&] {
        Tensor values = tensor->value.detach().cpu().contiguous();
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

int32_t kuoci_assure_gradient(kuoci_tensor *tensor) {
    return guarded([&] {
        if (!tensor->value.grad().defined()) tensor->value.mutable_grad() = at::zeros_like(tensor->value.detach());
    });
}

int32_t kuoci_watch_gradients(
    kuoci_tensor *const *leaves, int32_t count, void (*added)(void *context, int32_t index), void *context) {
    return guarded([&] {
        for (int32_t i = 0; i < count; i++) {
            std::unique_ptr<Watcher> watcher;
            if (added) watcher = std::make_unique<Watcher>(added, context, i);
            torch::autograd::impl::set_post_acc_grad_hooks(leaves[i]->value, std::move(watcher));
        }
    });
}

int32_t kuoci_elements(kuoci_tensor *tensor, int32_t element, void **elements) {
    return guarded([&] {
        const Tensor &value = tensor->value;
        TORCH_CHECK(value.is_cpu() && value.is_contiguous() && value.scalar_type() == scalar_type(element),
                    "the elements do not lie one after another in memory, or are of another type");
        *elements = value.mutable_data_ptr();
    });
}

int32_t kuoci_address(kuoci_tensor *tensor, void **address) {
    return guarded([&] {
        TORCH_CHECK(tensor->value.is_contiguous(), "the elements do not lie one after another");
        *address = tensor->value.mutable_data_ptr();
    });
}

int32_t kuoci_backward(const kuoci_tensor *loss, float scale) {
    return guarded([&] { loss->value.backward(at::full_like(loss->value, scale)); });
}

int32_t kuoci_backward_from(const kuoci_tensor *output, const kuoci_tensor *gradient) {
    return guarded([&] { output->value.backward(gradient->value); });
}

int32_t kuoci_add_gradient(kuoci_tensor *leaf, const kuoci_tensor *values) {
    return guarded([&] {
        TORCH_CHECK(leaf->value.sizes() == values->value.sizes(), "a gradient of shape ", values->value.sizes(),
                    " added to that of a tensor of shape ", leaf->value.sizes());
        Tensor &gradient = leaf->value.mutable_grad();
        gradient = gradient.defined() ? gradient.add_(values->value) : values->value;
    });
}

int32_t kuoci_detach(const kuoci_tensor *tensor, kuoci_tensor **result) {
    return produce(result, [&] { return tensor->value.detach(); });
}

int32_t kuoci_convert(
    const kuoci_tensor *tensor, int32_t element, int32_t device, bool copies, kuoci_tensor **result) {
    return produce(
        result, [&] { return tensor->value.to(device_at(device), scalar_type(element), false, copies); });
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

int32_t kuoci_concatenate(
    const kuoci_tensor *first, const kuoci_tensor *second, int32_t dimension, kuoci_tensor **result) {
    return produce(result, [&] { return at::cat({first->value, second->value}, dimension); });
}

int32_t kuoci_add(const kuoci_tensor *first, const kuoci_tensor *second, float scale, kuoci_tensor **result) {
    return produce(result, [&] { return at::add(first->value, second->value, scale); });
}

int32_t kuoci_linear(
    const kuoci_tensor *x, const kuoci_tensor *weight, const kuoci_tensor *bias, kuoci_tensor **result) {
    return produce(result, [&] {
        auto compute = is_ours(x->value) ? kuoci::linear : kuoci::portable::linear;
        return compute(x->value, weight->value, optional_bias(bias));
    });
}

int32_t kuoci_adapted_linear(
    const kuoci_tensor *x, const kuoci_tensor *weight, const kuoci_tensor *bias, const kuoci_tensor *down,
    const kuoci_tensor *up, double scaling, double dropout, uint64_t seed, kuoci_tensor **result) {
    return produce(result, [&] {
        TORCH_CHECK(dropout >= 0 && dropout < 1, "a dropout of ", dropout);
        auto compute = is_ours(x->value) ? kuoci::adapted_linear : kuoci::portable::adapted_linear;
        return compute(
            x->value, weight->value, optional_bias(bias), down->value, up->value, scaling, dropout, seed);
    });
}

int32_t kuoci_rms_norm(
    const kuoci_tensor *x, const kuoci_tensor *weight, double epsilon, int32_t element, kuoci_tensor **result) {
    return produce(result, [&] {
        at::ScalarType type = scalar_type(element);
        if (is_ours(x->value) && type == at::kFloat) return kuoci::rms_norm(x->value, weight->value, epsilon);
        return kuoci::portable::rms_norm(x->value, weight->value, epsilon, type);
    });
}

int32_t kuoci_swiglu(const kuoci_tensor *gate, const kuoci_tensor *up, kuoci_tensor **result) {
    return produce(result, [&] { return kuoci::swiglu(gate->value, up->value); });
}

int32_t kuoci_rotary_table(
    const kuoci_tensor *positions, int64_t width, double base, kuoci_tensor **cosines, kuoci_tensor **sines) {
    return guarded([&] {
        Tensor exponents = at::arange(0, width, 2, positions->value.options()).to(at::kFloat) / width;
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
    return produce(result, [&] {
        auto compute = is_ours(x->value) ? kuoci::rotate : kuoci::portable::rotate;
        return compute(x->value, cosines->value, sines->value);
    });
}

bool kuoci_needs_document_mask(const kuoci_tensor *documents, int32_t element) {
    return prefers_portable || !documents->value.is_cpu() || scalar_type(element) != at::kFloat;
}

int32_t kuoci_document_mask(const kuoci_tensor *documents, int32_t element, kuoci_tensor **result) {
    return produce(result, [&] {
        const Tensor &ids = documents->value;
        int64_t length = ids.size(1);
        Tensor causal = at::ones({length, length}, ids.options().dtype(at::kBool)).tril_();
        Tensor allowed = ids.unsqueeze(2).eq(ids.unsqueeze(1)).logical_and_(causal).unsqueeze_(1);
        return at::zeros(allowed.sizes(), ids.options().dtype(scalar_type(element)))
            .masked_fill_(allowed.logical_not_(), -INFINITY);
    });
}

int32_t kuoci_attention(
    const kuoci_tensor *queries, const kuoci_tensor *keys, const kuoci_tensor *values, const kuoci_tensor *documents,
    const kuoci_tensor *mask, int64_t width, kuoci_tensor **result) {
    return produce(result, [&] {
        if (documents && is_ours(queries->value))
            return kuoci::document_attention(queries->value, keys->value, values->value, documents->value, width);
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
        // Ours makes single precision out of any type.
        bool is_own = weight->value.is_cpu() && !prefers_portable;
        auto compute = is_own ? kuoci::embedding : kuoci::portable::embedding;
        return compute(ids->value, weight->value.detach(), optional_tensor(rows), first_row);
    });
}

int32_t kuoci_linear_cross_entropy(
    const kuoci_tensor *hidden, const kuoci_tensor *weight, const kuoci_tensor *rows, int64_t first_row,
    const kuoci_tensor *targets, int64_t chunk, kuoci_tensor **result) {
    return produce(result, [&] {
        TORCH_CHECK(chunk > 0, "a chunk needs at least one token");
        auto compute = is_ours(hidden->value) ? kuoci::linear_cross_entropy : kuoci::portable::linear_cross_entropy;
        return compute(
            hidden->value, weight->value.detach(), optional_tensor(rows), first_row, targets->value, chunk);
    });
}

int32_t kuoci_gradient_squares(const kuoci_tensor *leaf, int64_t start, int64_t length, double *sums) {
    return guarded([&] { kuoci::sum_squares(part(leaf->value.grad(), start, length), kuoci_squares_part, sums); });
}

int32_t kuoci_gradient_norm(kuoci_tensor *const *leaves, int32_t count, double *norm) {
    return guarded([&] {
        std::vector<Tensor> gradients;
        for (int32_t i = 0; i < count; i++) gradients.push_back(leaves[i]->value.grad());
        *norm = kuoci::portable::norm(gradients);
    });
}

int32_t kuoci_scale_gradient(kuoci_tensor *leaf, int64_t start, int64_t length, double scale) {
    return guarded([&] { part(leaf->value.grad(), start, length).mul_(scale); });
}

int32_t kuoci_adamw_step(
    kuoci_tensor *const *parameters, const int64_t *starts, const int64_t *lengths, kuoci_tensor *const *means,
    kuoci_tensor *const *squares, kuoci_tensor *const *steps, int32_t count, double rate, double beta1, double beta2,
    double decay, double epsilon) {
    return guarded([&] {
        at::NoGradGuard guard;
        std::vector<Tensor> values, gradients, first, second, counts;
        for (int32_t i = 0; i < count; i++) {
            const Tensor &gradient = parameters[i]->value.grad();
            if (!gradient.defined()) continue;
            Tensor step = steps[i]->value.add_(1);
            if (lengths[i] == 0) continue;
            values.push_back(part(parameters[i]->value, starts[i], lengths[i]));
            gradients.push_back(part(gradient, starts[i], lengths[i]));
            first.push_back(means[i]->value.view(-1));
            second.push_back(squares[i]->value.view(-1));
            counts.push_back(step);
        }
        if (values.empty()) return;
        at::_fused_adamw_(
            values, gradients, first, second, {}, counts, rate, beta1, beta2, decay, epsilon, false, false);
    });
}

int32_t kuoci_quantized_adamw_step(
    const kuoci_quantized_slot *slots, int32_t count, double rate, double beta1, double beta2, double decay,
    double epsilon) {
    return guarded([&] {
        at::NoGradGuard guard;
        for (int32_t i = 0; i < count; i++) {
            const kuoci_quantized_slot &slot = slots[i];
            const Tensor &gradient = slot.parameter->value.grad();
            if (!gradient.defined()) continue;
            double number = slot.step->value.add_(1).item<double>();
            if (slot.length == 0) continue;
            Tensor values = part(slot.parameter->value, slot.start, slot.length);
            auto step = is_ours(values) ? kuoci::step_quantized : kuoci::portable::step_quantized;
            auto moment = [](const kuoci_tensor *codes, const kuoci_tensor *absmax) {
                return kuoci::QuantizedMoment{codes->value.view(-1), absmax->value};
            };
            step({number, rate, beta1, beta2, decay, epsilon}, values, part(gradient, slot.start, slot.length),
                 moment(slot.mean, slot.mean_absmax), moment(slot.square, slot.square_absmax));
        }
    });
}

int32_t kuoci_set_threads(int32_t count) {
    return guarded([&] { at::set_num_threads(count); });
}

int32_t kuoci_threads(void) { return at::get_num_threads(); }

void kuoci_prefer_portable(bool preferred) { prefers_portable = preferred; }

bool kuoci_prefers_portable(void) { return prefers_portable; }

bool kuoci_has_cuda(void) { return at::globalContext().hasCUDART(); }

int32_t kuoci_cuda_devices(void) {
    int32_t count = 0;
    guarded([&] { count = torch::cuda::device_count(); });
    return count;
}

int32_t kuoci_prepare_cuda(void) {
    return guarded([&] {
        // What cuBLAS needs so that its sums have a fixed order; it reads it when it starts.
        setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
        // An error in place of a warning: with the latter, attention with a mask keeps to a way whose bits change.
        at::globalContext().setDeterministicAlgorithms(true, false);
        at::globalContext().setDeterministicFillUninitializedMemory(false);
    });
}

int32_t kuoci_use_cuda(int32_t device) {
    return guarded([&] { c10::impl::getDeviceGuardImpl(at::kCUDA)->setDevice(device_at(device)); });
}

}  // extern "C"
