#include "Matrices.h"

#include <algorithm>

namespace kuoci {

MatrixView view(const Tensor &matrix) {
    Element element = matrix.scalar_type() == at::kBFloat16 ? Element::bfloat16
        : matrix.scalar_type() == at::kHalf                 ? Element::float16
                                                            : Element::float32;
    TORCH_CHECK(
        element != Element::float32 || matrix.scalar_type() == at::kFloat, "a matrix of ", matrix.scalar_type());
    return {matrix.const_data_ptr(), element, matrix.stride(0), matrix.stride(1)};
}

MatrixView from_row(const MatrixView &matrix, int64_t row) {
    int64_t size = matrix.element == Element::float32 ? 4 : 2;
    MatrixView rest = matrix;
    rest.data = static_cast<const char *>(matrix.data) + row * matrix.row_stride * size;
    return rest;
}

namespace {

// A block of the left operand and a part of a panel stay in the second cache.
constexpr int64_t block_rows = 48, block_depth = 512;

// `multiply` for at most 64 rows of a and a transposed weight b, whose rows are read as they lie in memory: nothing is
// packed but a. The chains of additions are the same.
void multiply_few(const Tensor &a, const Tensor &b, const Tensor &c, bool accumulates) {
    int64_t rows = a.size(0), depth = a.size(1), columns = b.size(1), c_stride = c.stride(0);
    Tensor transposed = a.t(), packed = at::empty({depth, panel_width}, a.options());
    float *panel = packed.mutable_data_ptr<float>(), *to = c.mutable_data_ptr<float>();
    pack_panel(view(transposed), depth, 0, rows, panel);
    int64_t used = quotient_up(rows, 16) * 16;
    MatrixView weight = view(b.t());
    for_each_index(quotient_up(columns, block_rows), [=](int64_t block) {
        int64_t first = block * block_rows, count = std::min(block_rows, columns - first);
        MatrixView part = from_row(weight, first);
        auto values = static_cast<const float *>(part.data);
        int64_t stride = part.row_stride;
        if (part.element != Element::float32) {
            float *wide = scratch<0>(count * depth);
            widen(part, count, depth, wide);
            values = wide;
            stride = depth;
        }
        float *sums = scratch<1>(block_rows * panel_width);
        if (accumulates)
            for (int64_t i = 0; i < count; i++)
                for (int64_t j = 0; j < used; j++)
                    sums[i * panel_width + j] = j < rows ? to[j * c_stride + first + i] : 0;
        for (int64_t k = 0; k < depth; k += block_depth)
            multiply_panel(
                values + k, stride, 1, panel + k * panel_width, sums, panel_width, count,
                std::min(block_depth, depth - k), used, accumulates || k > 0);
        for (int64_t i = 0; i < count; i++)
            for (int64_t j = 0; j < rows; j++) to[j * c_stride + first + i] = sums[i * panel_width + j];
    });
}

}  // namespace

void multiply(const Tensor &a, const Tensor &b, const Tensor &c, bool accumulates) {
    int64_t rows = a.size(0), depth = a.size(1), columns = b.size(1);
    TORCH_CHECK(
        b.size(0) == depth && c.size(0) == rows && c.size(1) == columns, "mat1 and mat2 shapes cannot be multiplied (",
        a.sizes(), " and ", b.sizes(), ")");
    if (rows == 0 || columns == 0) return;
    if (depth == 0) {
        if (!accumulates) c.zero_();
        return;
    }
    if (rows <= panel_width && b.stride(0) == 1) return multiply_few(a, b, c, accumulates);
    // Strips bound the packed copy of b to 16 MB.
    constexpr int64_t strip_floats = 4 << 20;
    int64_t panels = quotient_up(columns, panel_width), blocks = quotient_up(rows, block_rows);
    int64_t strip = std::clamp<int64_t>(strip_floats / (depth * panel_width), 1, panels);
    Tensor packed = at::empty({strip, depth, panel_width}, a.options());
    float *panel_data = packed.mutable_data_ptr<float>();
    const float *from = a.const_data_ptr<float>();
    float *to = c.mutable_data_ptr<float>();
    int64_t a_row = a.stride(0), a_column = a.stride(1), c_stride = c.stride(0);
    MatrixView right = view(b);
    auto panel_columns = [=](int64_t panel) { return std::min(panel_width, columns - panel * panel_width); };
    for (int64_t first = 0; first < panels; first += strip) {
        int64_t count = std::min(strip, panels - first);
        for_each_index(count, [=](int64_t i) {
            int64_t panel = first + i;
            pack_panel(right, depth, panel * panel_width, panel_columns(panel), panel_data + i * depth * panel_width);
        });
        // Few rows: the panels are what is shared out.
        int64_t group = blocks < 8 ? 1 : count, groups = quotient_up(count, group);
        for_each_index(blocks * groups, [=](int64_t task) {
            int64_t row = task / groups * block_rows, start = task % groups * group;
            int64_t height = std::min(block_rows, rows - row);
            for (int64_t k = 0; k < depth; k += block_depth) {
                int64_t length = std::min(block_depth, depth - k);
                const float *part = from + row * a_row + k * a_column;
                int64_t part_row = a_row, part_column = a_column;
                if (a_column != 1) {
                    // Elements far apart share few sets of the cache, and this block is read once for each panel.
                    float *together = scratch<0>(block_rows * block_depth);
                    for (int64_t j = 0; j < length; j++)
                        for (int64_t r = 0; r < height; r++)
                            together[j * height + r] = part[r * a_row + j * a_column];
                    part = together;
                    part_row = 1;
                    part_column = height;
                }
                for (int64_t i = start; i < std::min(count, start + group); i++)
                    multiply_panel(
                        part, part_row, part_column, panel_data + (i * depth + k) * panel_width,
                        to + row * c_stride + (first + i) * panel_width, c_stride, height, length,
                        panel_columns(first + i), accumulates || k > 0);
            }
        });
    }
}

Tensor multiplied(const Tensor &a, const Tensor &b) {
    Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
    multiply(a, b, c);
    return c;
}

}  // namespace kuoci
