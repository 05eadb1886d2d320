#include "Products.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace kuoci {
namespace {

// The largest tile that stays in registers: 6 rows of 4 vectors are 24 of AVX-512's 32, 6 rows of 2 are 12 of AVX2's 16.
constexpr int tile_rows = 6;

// Rows of `a` times a packed panel, of which `vectors` are read in each row. Where the left operand lies row after row its
// columns are adjacent, and `a_stride` is from row to row; else its rows are, and it is from column to column.
template <class Vector, int rows, int vectors, bool by_rows>
__attribute__((always_inline)) inline void multiply_tile(
    const float *a, int64_t a_stride, const float *panel, float *c, int64_t c_stride, int64_t depth, bool accumulates) {
    constexpr int lanes = sizeof(Vector) / sizeof(float);
    Vector sums[rows][vectors];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            if (accumulates)
                memcpy(&sums[i][j], c + i * c_stride + j * lanes, sizeof(Vector));
            else
                sums[i][j] = Vector{};
        }
    // Two pointers, so that an offset of one or two strides reaches every row.
    const float *upper = a, *lower = by_rows && rows > 3 ? a + 3 * a_stride : a;
    auto step = [&](int ahead) __attribute__((always_inline)) {
        Vector row[vectors];
        const float *from = panel + ahead * panel_width;
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) memcpy(&row[j], from + j * lanes, sizeof(Vector));
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            float factor = !by_rows ? upper[ahead * a_stride + i]
                : i < 3             ? upper[i * a_stride + ahead]
                                    : lower[(i - 3) * a_stride + ahead];
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) sums[i][j] += factor * row[j];
        }
    };
    auto advance = [&](int count) __attribute__((always_inline)) {
        upper += by_rows ? count : count * a_stride;
        lower += by_rows ? count : 0;
        panel += count * panel_width;
        // Or the compiler computes each row's address from the one before.
        asm("" : "+r"(upper), "+r"(lower));
    };
    // Instructions that are no multiplication slow a core that runs two threads at once: counters move every fourth time.
    constexpr int together = 4;
    int64_t k = 0;
    for (; k + together <= depth; k += together) {
#pragma clang loop unroll(full)
        for (int ahead = 0; ahead < together; ahead++) step(ahead);
        advance(together);
    }
    for (; k < depth; k++) {
        step(0);
        advance(1);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) memcpy(c + i * c_stride + j * lanes, &sums[i][j], sizeof(Vector));
}

template <class Vector, int vectors, bool by_rows>
__attribute__((always_inline)) inline void multiply_strip(
    const float *a, int64_t a_stride, const float *panel, float *c, int64_t c_stride, int64_t rows, int64_t depth,
    bool accumulates) {
    int64_t step = by_rows ? a_stride : 1, m = 0;
    for (; m + tile_rows <= rows; m += tile_rows)
        multiply_tile<Vector, tile_rows, vectors, by_rows>(
            a + m * step, a_stride, panel, c + m * c_stride, c_stride, depth, accumulates);
    for (; m + 2 <= rows; m += 2)
        multiply_tile<Vector, 2, vectors, by_rows>(
            a + m * step, a_stride, panel, c + m * c_stride, c_stride, depth, accumulates);
    if (m < rows)
        multiply_tile<Vector, 1, vectors, by_rows>(
            a + m * step, a_stride, panel, c + m * c_stride, c_stride, depth, accumulates);
}

// All columns of a panel, `columns` being a multiple of 16: as many vectors at once as registers hold.
template <class Vector, int vectors, bool by_rows>
__attribute__((always_inline)) inline void multiply_columns(
    const float *a, int64_t a_stride, const float *panel, float *c, int64_t c_stride, int64_t rows, int64_t depth,
    int64_t columns, bool accumulates) {
    constexpr int64_t lanes = sizeof(Vector) / sizeof(float);
    int64_t j = 0;
    for (; j + vectors * lanes <= columns; j += vectors * lanes)
        multiply_strip<Vector, vectors, by_rows>(a, a_stride, panel + j, c + j, c_stride, rows, depth, accumulates);
    for (; j < columns; j += lanes)
        multiply_strip<Vector, 1, by_rows>(a, a_stride, panel + j, c + j, c_stride, rows, depth, accumulates);
}

template <class Vector, int vectors>
__attribute__((always_inline)) inline void multiply_either(
    const float *a, int64_t a_row, int64_t a_column, const float *panel, float *c, int64_t c_stride, int64_t rows,
    int64_t depth, int64_t columns, bool accumulates) {
    if (a_column == 1)
        multiply_columns<Vector, vectors, true>(a, a_row, panel, c, c_stride, rows, depth, columns, accumulates);
    else
        multiply_columns<Vector, vectors, false>(a, a_column, panel, c, c_stride, rows, depth, columns, accumulates);
}

typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector16 __attribute__((vector_size(64)));

using Multiply = void (*)(
    const float *, int64_t, int64_t, const float *, float *, int64_t, int64_t, int64_t, int64_t, bool);

void multiply_narrow(
    const float *a, int64_t a_row, int64_t a_column, const float *panel, float *c, int64_t c_stride, int64_t rows,
    int64_t depth, int64_t columns, bool accumulates) {
    multiply_either<Vector4, 2>(a, a_row, a_column, panel, c, c_stride, rows, depth, columns, accumulates);
}

#if defined(__x86_64__)
#define KUOCI_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

__attribute__((target("arch=x86-64-v3"))) void multiply_avx2(
    const float *a, int64_t a_row, int64_t a_column, const float *panel, float *c, int64_t c_stride, int64_t rows,
    int64_t depth, int64_t columns, bool accumulates) {
    multiply_either<Vector8, 2>(a, a_row, a_column, panel, c, c_stride, rows, depth, columns, accumulates);
}

// Without the second attribute clang would cut the vectors in two.
__attribute__((target("arch=x86-64-v4"), min_vector_width(512))) void multiply_avx512(
    const float *a, int64_t a_row, int64_t a_column, const float *panel, float *c, int64_t c_stride, int64_t rows,
    int64_t depth, int64_t columns, bool accumulates) {
    multiply_either<Vector16, 4>(a, a_row, a_column, panel, c, c_stride, rows, depth, columns, accumulates);
}

Multiply fastest() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return multiply_avx512;
    if (__builtin_cpu_supports("x86-64-v3")) return multiply_avx2;
    return multiply_narrow;
}
#else
#define KUOCI_WIDE
Multiply fastest() { return multiply_narrow; }
#endif

const Multiply multiply = fastest();

inline float widened_bfloat16(uint16_t bits) {
    uint32_t word = static_cast<uint32_t>(bits) << 16;
    float value;
    memcpy(&value, &word, 4);
    return value;
}

inline float widened_float16(uint16_t bits) {
    _Float16 half;
    memcpy(&half, &bits, 2);
    return static_cast<float>(half);
}

template <class Load>
__attribute__((always_inline)) inline void pack(
    const MatrixView &matrix, int64_t rows, int64_t first, int64_t columns, float *panel, Load load) {
    int64_t row_stride = matrix.row_stride, column_stride = matrix.column_stride;
    // Where rows are the contiguous direction, 16 of them are a cache line of each column.
    constexpr int64_t block = 16;
    for (int64_t start = 0; start < rows; start += block)
        for (int64_t r = start; r < std::min(rows, start + block); r++) {
            float *to = panel + r * panel_width;
            int64_t from = r * row_stride + first * column_stride;
            for (int64_t j = 0; j < columns; j++) to[j] = load(from + j * column_stride);
            for (int64_t j = columns; j < panel_width; j++) to[j] = 0;
        }
}

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

}  // namespace

KUOCI_WIDE void pack_panel(const MatrixView &matrix, int64_t rows, int64_t first, int64_t columns, float *panel) {
    switch (matrix.element) {
    case Element::float32: {
        auto data = static_cast<const float *>(matrix.data);
        if (matrix.column_stride == 1 && columns == panel_width) {
            for (int64_t r = 0; r < rows; r++)
                memcpy(panel + r * panel_width, data + r * matrix.row_stride + first, panel_width * sizeof(float));
            return;
        }
        return pack(matrix, rows, first, columns, panel, [=](int64_t i) { return data[i]; });
    }
    case Element::bfloat16: {
        auto data = static_cast<const uint16_t *>(matrix.data);
        return pack(matrix, rows, first, columns, panel, [=](int64_t i) { return widened_bfloat16(data[i]); });
    }
    case Element::float16: {
        auto data = static_cast<const uint16_t *>(matrix.data);
        return pack(matrix, rows, first, columns, panel, [=](int64_t i) { return widened_float16(data[i]); });
    }
    }
}

KUOCI_WIDE void widen(const MatrixView &matrix, int64_t rows, int64_t columns, float *to) {
    for (int64_t r = 0; r < rows; r++, to += columns) {
        if (matrix.element == Element::float32) {
            memcpy(to, static_cast<const float *>(matrix.data) + r * matrix.row_stride, columns * sizeof(float));
            continue;
        }
        auto from = static_cast<const uint16_t *>(matrix.data) + r * matrix.row_stride;
        if (matrix.element == Element::bfloat16)
            for (int64_t j = 0; j < columns; j++) to[j] = widened_bfloat16(from[j]);
        else
            for (int64_t j = 0; j < columns; j++) to[j] = widened_float16(from[j]);
    }
}

void multiply_panel(
    const float *a, int64_t a_row, int64_t a_column, const float *panel, float *c, int64_t c_stride, int64_t rows,
    int64_t depth, int64_t columns, bool accumulates) {
    int64_t whole = columns / 16 * 16;
    if (whole > 0) multiply(a, a_row, a_column, panel, c, c_stride, rows, depth, whole, accumulates);
    if (whole == columns) return;
    // The last columns go through a buffer, so that nothing beyond them is touched.
    constexpr int64_t buffered = 60;
    float buffer[buffered * 16];
    for (int64_t m = 0; m < rows; m += buffered) {
        int64_t count = std::min(buffered, rows - m);
        if (accumulates)
            for (int64_t i = 0; i < count; i++)
                for (int64_t j = 0; j < columns - whole; j++) buffer[i * 16 + j] = c[(m + i) * c_stride + whole + j];
        multiply(a + m * a_row, a_row, a_column, panel + whole, buffer, 16, count, depth, 16, accumulates);
        for (int64_t i = 0; i < count; i++)
            for (int64_t j = 0; j < columns - whole; j++) c[(m + i) * c_stride + whole + j] = buffer[i * 16 + j];
    }
}

KUOCI_WIDE void exponentiate_columns(float *logits, int64_t rows, float *largest, float *sums) {
    float best[panel_width], total[panel_width] = {};
    for (int64_t j = 0; j < panel_width; j++) best[j] = logits[j];
    for (int64_t r = 1; r < rows; r++)
        for (int64_t j = 0; j < panel_width; j++)
            best[j] = logits[r * panel_width + j] > best[j] ? logits[r * panel_width + j] : best[j];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < panel_width; j++) {
            float value = exponential(logits[r * panel_width + j] - best[j]);
            logits[r * panel_width + j] = value;
            total[j] += value;
        }
    memcpy(largest, best, sizeof best);
    memcpy(sums, total, sizeof total);
}

// Loops keep this many partial results, so that every bit is the same at any vector width.
constexpr int64_t partial_results = 16;

KUOCI_WIDE float softmax(float *scores, int64_t count, int64_t end, float scale) {
    float best[partial_results], sums[partial_results] = {};
    int64_t padded = (count + partial_results - 1) / partial_results * partial_results;
    // Far below all others, their exponentials do not change a sum of 1 or more.
    for (int64_t i = count; i < padded; i++) scores[i] = -1e30f;
    for (int64_t j = 0; j < partial_results; j++) best[j] = scores[j];
    for (int64_t i = partial_results; i < padded; i += partial_results)
        for (int64_t j = 0; j < partial_results; j++) best[j] = scores[i + j] > best[j] ? scores[i + j] : best[j];
    float largest = best[0], total = 0;
    for (int64_t j = 1; j < partial_results; j++) largest = best[j] > largest ? best[j] : largest;
    for (int64_t i = 0; i < padded; i += partial_results)
        for (int64_t j = 0; j < partial_results; j++) {
            float value = exponential((scores[i + j] - largest) * scale);
            scores[i + j] = value;
            sums[j] += value;
        }
    for (int64_t j = 0; j < partial_results; j++) total += sums[j];
    float share = 1 / total;
    for (int64_t i = 0; i < count; i++) scores[i] *= share;
    for (int64_t i = count; i < end; i++) scores[i] = 0;
    return largest * scale + std::log(total);
}

KUOCI_WIDE void softmax_slopes(
    float *scores, float *slopes, const float *output, const float *doutput, int64_t count, int64_t end, int64_t width,
    float logarithm, float scale) {
    float sums[partial_results] = {}, mean = 0;
    int64_t whole = width / partial_results * partial_results;
    for (int64_t i = 0; i < whole; i += partial_results)
        for (int64_t j = 0; j < partial_results; j++) sums[j] += output[i + j] * doutput[i + j];
    for (int64_t i = whole; i < width; i++) sums[i - whole] += output[i] * doutput[i];
    for (int64_t j = 0; j < partial_results; j++) mean += sums[j];
    for (int64_t i = 0; i < count; i++) {
        float share = exponential(scores[i] * scale - logarithm);
        scores[i] = share;
        slopes[i] = share * (slopes[i] - mean) * scale;
    }
    for (int64_t i = count; i < end; i++) scores[i] = slopes[i] = 0;
}

KUOCI_WIDE void scale_columns(const float *from, const float *factors, float *to, int64_t rows) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < panel_width; j++)
            to[r * panel_width + j] = from[r * panel_width + j] * factors[j];
}

}  // namespace kuoci
