#include "DynamicMap.h"
#include "Matrices.h"
#include "QuantizedAdamW.h"

#include <algorithm>

namespace kuoci::portable {
namespace {

/// Values that exist in single precision at a time.
constexpr int64_t piece = quantized_block << 14;

Tensor on_device(const float *table, int64_t count, const Tensor &other) {
    return at::from_blob(const_cast<float *>(table), {count}, at::kFloat).to(other.device(), at::kFloat, false, true);
}

/// Blocks as rows, the last one filled up with zeros.
Tensor rows(const Tensor &vector) {
    int64_t missing = quotient_up(vector.numel(), quantized_block) * quantized_block - vector.numel();
    return at::constant_pad_nd(vector, {0, missing}).view({-1, quantized_block});
}

Tensor dequantized(const QuantizedMoment &moment, const DynamicMap &map) {
    Tensor numbers = on_device(map.values(), 256, moment.codes);
    return numbers.index({rows(moment.codes).to(at::kLong)}).mul_(moment.absmax.unsqueeze(1));
}

void quantize(const Tensor &values, const QuantizedMoment &moment, const DynamicMap &map, bool keeps_positive) {
    Tensor absmax = values.abs().amax(1);
    Tensor shares = values.mul(absmax.clamp_min(smallest_absmax).reciprocal().unsqueeze(1)).clamp_(-1, 1);
    Tensor codes = at::bucketize(shares, on_device(map.limits(), 255, values));
    if (keeps_positive) codes = codes.maximum(shares.gt(0).to(codes.scalar_type()));
    moment.absmax.copy_(absmax);
    moment.codes.copy_(codes.view(-1).narrow(0, 0, moment.codes.numel()));
}

void step_piece(
    const AdamWStep &step, const Tensor &values, const Tensor &gradients, const QuantizedMoment &mean,
    const QuantizedMoment &square) {
    const DynamicMap &mean_map = DynamicMap::signed_map(), &square_map = DynamicMap::unsigned_map();
    Tensor slopes = rows(gradients);
    Tensor means = dequantized(mean, mean_map).mul_(step.beta1).add_(slopes.mul(step.rest1));
    Tensor squares = dequantized(square, square_map).mul_(step.beta2).add_(slopes.mul(slopes).mul_(step.rest2));
    Tensor change = means.div(squares.sqrt().add_(step.epsilon)).mul_(step.rate);
    values.mul_(step.kept).sub_(change.view(-1).narrow(0, 0, values.numel()));
    quantize(means, mean, mean_map, false);
    quantize(squares, square, square_map, true);
}

}  // namespace

void step_quantized(
    const AdamWStep &step, const Tensor &values, const Tensor &gradients, const QuantizedMoment &mean,
    const QuantizedMoment &square) {
    for (int64_t start = 0; start < values.numel(); start += piece) {
        int64_t count = std::min(piece, values.numel() - start);
        auto part = [&](const Tensor &vector) { return vector.narrow(0, start, count); };
        auto moment = [&](const QuantizedMoment &whole) {
            return QuantizedMoment{
                part(whole.codes),
                whole.absmax.narrow(0, start / quantized_block, quotient_up(count, quantized_block))};
        };
        step_piece(step, part(values), part(gradients), moment(mean), moment(square));
    }
}

}  // namespace kuoci::portable
