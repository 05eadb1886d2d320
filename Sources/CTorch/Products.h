// Matrix products on one thread, in single precision, whose bits depend on nothing but their operands: every element is
// one chain of fused multiply-adds over k, ascending, at any blocking, vector width and number of threads.
#pragma once

#include <cstdint>

namespace kuoci {

// Columns of a packed operand stand in panels of this many, each row of a panel being contiguous.
constexpr int64_t panel_width = 64;

enum class Element { float32, bfloat16, float16 };

// A matrix somewhere in memory; strides count elements.
struct MatrixView {
    const void *data;
    Element element;
    int64_t row_stride, column_stride;
};

// Copies columns [first, first + columns) of rows [0, rows) into a panel [rows][64]; columns beyond are zero.
void pack_panel(const MatrixView &matrix, int64_t rows, int64_t first, int64_t columns, float *panel);

// Converts `rows` rows of `columns` contiguous elements to single precision.
void widen(const MatrixView &matrix, int64_t rows, int64_t columns, float *to);

// c[m * c_stride + j] (+)= sum over k of a[m * a_row + k * a_column] * panel[k * 64 + j], for m < rows, j < columns <= 64.
// One of a_row and a_column is 1. With `accumulates`, the chain goes on from what c holds.
void multiply_panel(
    const float *a, int64_t a_row, int64_t a_column, const float *panel, float *c, int64_t c_stride, int64_t rows,
    int64_t depth, int64_t columns, bool accumulates);

// For logits [rows][64], tokens in the columns: the largest of each column, and with it every logit replaced by
// exp(logit - largest) and each column's sum of those.
void exponentiate_columns(float *logits, int64_t rows, float *largest, float *sums);

// to[r * 64 + j] = from[r * 64 + j] * factors[j].
void scale_columns(const float *from, const float *factors, float *to, int64_t rows);

// The scores of one query, `count` of them, times `scale`, become shares of 1; those from there to `end` zero. Returns the
// logarithm of the sum of their exponentials. Memory up to the next multiple of 16 is written.
float softmax(float *scores, int64_t count, int64_t end, float scale);

// For the scores and the logarithm of `softmax`: `scores` become the shares again, and `slopes`, the gradient of each share,
// that of the score, for an output [width] with gradient `doutput`. From `count` to `end` both become zero.
void softmax_slopes(
    float *scores, float *slopes, const float *output, const float *doutput, int64_t count, int64_t end, int64_t width,
    float logarithm, float scale);

}  // namespace kuoci
