// In C because Swift has no word for "with these instructions, if the processor has them": without FMA each product is a
// call of fmaf, 17 billion of them for the attention of a 7B model at rank 8.
#include "CFolding.h"

#pragma STDC FP_CONTRACT OFF

enum { stretch = 256 };

static inline __attribute__((always_inline)) void fold(
    float *restrict row, const float *restrict b, const float *restrict a, size_t rank, size_t columns, float scaling) {
    float sums[stretch];
    for (size_t start = 0; start < columns; start += stretch) {
        size_t count = columns - start < stretch ? columns - start : stretch;
        for (size_t i = 0; i < count; i++) sums[i] = 0;
        for (size_t k = 0; k < rank; k++) {
            const float *line = a + k * columns + start;
            float factor = b[k];
            for (size_t i = 0; i < count; i++) sums[i] = __builtin_fmaf(factor, line[i], sums[i]);
        }
        for (size_t i = 0; i < count; i++) {
            float delta = sums[i] * scaling;
            row[start + i] = row[start + i] + delta;
        }
    }
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) static void fold_with_fma(
    float *row, const float *b, const float *a, size_t rank, size_t columns, float scaling) {
    fold(row, b, a, rank, columns, scaling);
}

void kuoci_fold_row(float *row, const float *b, const float *a, size_t rank, size_t columns, float scaling) {
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        fold_with_fma(row, b, a, rank, columns, scaling);
    } else {
        fold(row, b, a, rank, columns, scaling);
    }
}

#else

void kuoci_fold_row(float *row, const float *b, const float *a, size_t rank, size_t columns, float scaling) {
    fold(row, b, a, rank, columns, scaling);
}

#endif
