#pragma once

#include <stddef.h>

/// Adds scaling * (b[0] * a[0] + b[1] * a[1] + ...) to a row, where each of the `rank` lines of a has `columns` numbers.
///
/// The products are added by fused multiply-add in the order of the lines, beginning at 0; the sum is multiplied and
/// added with a rounding each. The result does not depend on the machine.
void kuoci_fold_row(float *row, const float *b, const float *a, size_t rank, size_t columns, float scaling);
