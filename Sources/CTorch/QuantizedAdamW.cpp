#include "QuantizedAdamW.h"

#include "DynamicMap.h"
#include "Matrices.h"

#include <algorithm>
#include <cmath>

// A product is rounded before it is added to, on every machine: the bits are those of libtorch's operations one by one.
#pragma clang fp contract(off)

namespace kuoci {
namespace {

// Compiled for each vector width; the loader picks.
#if defined(__x86_64__) && defined(__clang__)
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif

constexpr int64_t blocks_at_a_time = 64;

/// A moment's place in memory.
struct Moment {
    uint8_t *codes;
    float *absmax;
};

float absmax_of(const float *values, int64_t count) {
    // Of numbers without their sign the order is that of their bits, and whole numbers are compared many at a time.
    uint32_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        std::memcpy(&bits, values + i, sizeof bits);
        largest = std::max(largest, bits & 0x7FFFFFFFu);
    }
    float result;
    std::memcpy(&result, &largest, sizeof result);
    return result;
}

/// Turns shares of a block's size into codes.
float prepare(float *values, int64_t count) {
    float absmax = absmax_of(values, count), scale = 1 / std::max(absmax, smallest_absmax);
    for (int64_t i = 0; i < count; i++) values[i] = std::min(std::max(values[i] * scale, -1.0f), 1.0f);
    return absmax;
}

// Short loops over a block in cache, each of one kind: those without tables are computed many numbers at a time.
inline void dequantize(const DynamicMap &map, Moment moment, float *__restrict values, int64_t count) {
    const float *numbers = map.values();
    float size = *moment.absmax;
    for (int64_t i = 0; i < count; i++) values[i] = numbers[moment.codes[i]] * size;
}

inline void move(
    const AdamWStep &step, float *__restrict values, const float *__restrict gradients, float *__restrict means,
    float *__restrict squares, int64_t count) {
    const AdamWStep s = step;
    for (int64_t i = 0; i < count; i++) {
        float gradient = gradients[i];
        means[i] = means[i] * s.beta1 + gradient * s.rest1;
        squares[i] = squares[i] * s.beta2 + (gradient * gradient) * s.rest2;
        // std::sqrt may set errno, which takes one number at a time.
        float size = __builtin_elementwise_sqrt(squares[i]) + s.epsilon;
        values[i] = values[i] * s.kept - (means[i] / size) * s.rate;
    }
}

inline void quantize(const DynamicMap &map, float *__restrict values, Moment moment, int64_t count) {
    *moment.absmax = prepare(values, count);
    int32_t codes[quantized_block];
    const float *limits = map.limits();
    // A table of bytes is read faster one by one.
#pragma clang loop vectorize(disable)
    for (int64_t i = 0; i < count; i++) codes[i] = map.first_code(values[i]);
    for (int64_t i = 0; i < count; i++) codes[i] += values[i] > limits[codes[i]] ? 1 : 0;
    for (int64_t i = 0; i < count; i++) moment.codes[i] = static_cast<uint8_t>(codes[i]);
}

VECTORIZED void step_block(
    const AdamWStep &step, float *values, const float *gradients, Moment mean, Moment square, int64_t count) {
    float means[quantized_block], squares[quantized_block];
    const DynamicMap &mean_map = DynamicMap::signed_map(), &square_map = DynamicMap::unsigned_map();
    dequantize(mean_map, mean, means, count);
    dequantize(square_map, square, squares, count);
    move(step, values, gradients, means, squares, count);
    quantize(mean_map, means, mean, count);
    quantize(square_map, squares, square, count);
    // A square that is not zero stays so (`kuoci_quantized_adamw_step`).
    for (int64_t i = 0; i < count; i++)
        square.codes[i] = std::max(square.codes[i], static_cast<uint8_t>(squares[i] > 0));
}

}  // namespace

AdamWStep::AdamWStep(double number, double rate, double beta1, double beta2, double decay, double epsilon)
    : beta1(beta1), rest1(1 - beta1), beta2(beta2), rest2(1 - beta2), kept(1 - rate * decay) {
    double correction = std::sqrt(1 - std::pow(beta2, number));
    this->rate = rate * correction / (1 - std::pow(beta1, number));
    this->epsilon = epsilon * correction;
}

void step_quantized(
    const AdamWStep &step, const Tensor &values, const Tensor &gradients, const QuantizedMoment &mean,
    const QuantizedMoment &square) {
    int64_t count = values.numel();
    float *numbers = values.mutable_data_ptr<float>();
    const float *slopes = gradients.const_data_ptr<float>();
    Moment means{mean.codes.mutable_data_ptr<uint8_t>(), mean.absmax.mutable_data_ptr<float>()};
    Moment squares{square.codes.mutable_data_ptr<uint8_t>(), square.absmax.mutable_data_ptr<float>()};
    int64_t blocks = quotient_up(count, quantized_block);
    for_each_index(quotient_up(blocks, blocks_at_a_time), [=](int64_t part) {
        int64_t end = std::min(blocks, (part + 1) * blocks_at_a_time);
        for (int64_t block = part * blocks_at_a_time; block < end; block++) {
            int64_t first = block * quantized_block;
            step_block(
                step, numbers + first, slopes + first, {means.codes + first, means.absmax + block},
                {squares.codes + first, squares.absmax + block}, std::min(quantized_block, count - first));
        }
    });
}

}  // namespace kuoci
