// Attention in which each document of a block is a task of its own: no score between tokens of two documents is computed.
#include "Functions.h"

#include "Matrices.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace kuoci {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Queries are taken so many at a time, with the keys that they see.
constexpr int64_t tile = panel_width;

// Tokens of one document that are in one block, numbered over all blocks.
struct Segment {
    int64_t start, length;
};

// Neighbours with the same number, of documents [B, T].
std::vector<Segment> segments_of(const Tensor &documents) {
    Tensor numbers = documents.to(at::kCPU, at::kLong).contiguous();
    const int64_t *ids = numbers.const_data_ptr<int64_t>();
    int64_t block = numbers.size(1), count = numbers.numel();
    std::vector<Segment> found;
    for (int64_t i = 0; i < count; i++) {
        if (i % block == 0 || ids[i] != ids[i - 1]) found.push_back({i, 0});
        found.back().length++;
    }
    return found;
}

// One head's part of x [B, T, heads * width], from a segment's first token on.
struct Head {
    float *values;
    int64_t stride;

    Head(float *values, int64_t stride) : values(values), stride(stride) {}

    Head(const Tensor &x, const Segment &segment, int64_t head, int64_t width)
        : Head(static_cast<float *>(const_cast<void *>(x.const_data_ptr())) + segment.start * x.size(2) + head * width,
               x.size(2)) {}

    float *row(int64_t i) const { return values + i * stride; }

    // Packs tokens [start, start + count) as rows of panels [panels][count][64].
    void pack_rows(int64_t start, int64_t count, int64_t width, float *panels) const {
        MatrixView view{row(start), Element::float32, stride, 1};
        for (int64_t j = 0; j < width; j += panel_width, panels += count * panel_width)
            pack_panel(view, count, j, std::min(panel_width, width - j), panels);
    }

    // Packs all tokens as columns of panels [panels][width][64].
    void pack_columns(int64_t count, int64_t width, float *panels) const {
        MatrixView view{values, Element::float32, 1, stride};
        for (int64_t j = 0; j < count; j += panel_width, panels += width * panel_width)
            pack_panel(view, width, j, std::min(panel_width, count - j), panels);
    }
};

// c [rows, columns] (+)= a [rows, depth] times panels [ceil(columns / 64)][depth of the panels][64].
void multiply_panels(
    const float *a, int64_t a_row, int64_t a_column, const float *panels, int64_t panel_depth, const Head &c, int64_t rows,
    int64_t depth, int64_t columns, bool accumulates) {
    for (int64_t j = 0; j < columns; j += panel_width, panels += panel_depth * panel_width)
        multiply_panel(
            a, a_row, a_column, panels, c.values + j, c.stride, rows, depth, std::min(panel_width, columns - j),
            accumulates);
}

// The gradient of keys or values x [B, T, groups * width] that heads share, from that of each head [B, T, heads * width];
// added up in the order of the heads.
Tensor sum_of_groups(const Tensor &gradient, const Tensor &x, int64_t width) {
    Tensor sum = at::empty_like(x);
    int64_t group = gradient.size(2) / x.size(2);
    const float *parts = gradient.const_data_ptr<float>();
    float *sums = sum.mutable_data_ptr<float>();
    for_each_index(x.numel() / width, [&](int64_t i) {
        const float *part = parts + i * group * width;
        float *total = sums + i * width;
        std::copy_n(part, width, total);
        for (int64_t head = 1; head < group; head++)
            for (int64_t j = 0; j < width; j++) total[j] += part[head * width + j];
    });
    return sum;
}

// Keeps what goes in and comes out, and one number for each query and head (`kuoci_attention`).
struct DocumentAttention : public Function<DocumentAttention> {
    static Tensor forward(
        AutogradContext *context, const Tensor &queries, const Tensor &keys, const Tensor &values, const Tensor &documents,
        int64_t width) {
        Tensor q = queries.contiguous(), k = keys.contiguous(), v = values.contiguous(), output = at::empty_like(q);
        int64_t heads = q.size(2) / width, group = heads / (k.size(2) / width), tokens = q.size(0) * q.size(1);
        Tensor logarithms = at::empty({heads, tokens}, q.options());
        float *logarithm = logarithms.mutable_data_ptr<float>();
        std::vector<Segment> segments = segments_of(documents);
        auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(width)));
        for_each_index(segments.size() * heads, [&](int64_t task) {
            const Segment &segment = segments[task / heads];
            int64_t head = task % heads, length = segment.length, padded = quotient_up(length, panel_width) * panel_width;
            Head query(q, segment, head, width), out(output, segment, head, width);
            Head key(k, segment, head / group, width), value(v, segment, head / group, width);
            float *key_columns = scratch<20>(padded * width);
            float *value_rows = scratch<21>(quotient_up(width, panel_width) * length * panel_width);
            Head scores(scratch<22>(tile * padded), padded);
            key.pack_columns(length, width, key_columns);
            value.pack_rows(0, length, width, value_rows);
            for (int64_t start = 0; start < length; start += tile) {
                int64_t rows = std::min(tile, length - start), seen = start + rows;
                multiply_panels(query.row(start), query.stride, 1, key_columns, width, scores, rows, width, seen, false);
                for (int64_t i = 0; i < rows; i++)
                    logarithm[head * tokens + segment.start + start + i] =
                        softmax(scores.row(i), start + i + 1, seen, scale);
                multiply_panels(
                    scores.values, padded, 1, value_rows, length, Head(out.row(start), out.stride), rows, seen, width, false);
            }
        });
        context->save_for_backward({q, k, v, output, logarithms, documents});
        context->saved_data["width"] = width;
        return output;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &output = saved[3], &logarithms = saved[4];
        int64_t width = context->saved_data["width"].toInt();
        Tensor gradient = gradients[0].contiguous(), dq = at::empty_like(q), dk = at::empty_like(q), dv = at::empty_like(q);
        int64_t heads = q.size(2) / width, group = heads / (k.size(2) / width), tokens = q.size(0) * q.size(1);
        const float *logarithm = logarithms.const_data_ptr<float>();
        std::vector<Segment> segments = segments_of(saved[5]);
        auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(width)));
        for_each_index(segments.size() * heads, [&](int64_t task) {
            const Segment &segment = segments[task / heads];
            int64_t head = task % heads, length = segment.length;
            int64_t padded = quotient_up(length, panel_width) * panel_width, panels = quotient_up(width, panel_width);
            Head query(q, segment, head, width), out(output, segment, head, width);
            Head key(k, segment, head / group, width), value(v, segment, head / group, width);
            Head dout(gradient, segment, head, width), dquery(dq, segment, head, width);
            Head dkey(dk, segment, head, width), dvalue(dv, segment, head, width);
            float *key_columns = scratch<20>(padded * width), *value_columns = scratch<21>(padded * width);
            float *key_rows = scratch<22>(panels * length * panel_width);
            float *rows_panel = scratch<23>(panels * tile * panel_width);
            Head shares(scratch<24>(tile * padded), padded), slopes(scratch<25>(tile * padded), padded);
            key.pack_columns(length, width, key_columns);
            value.pack_columns(length, width, value_columns);
            key.pack_rows(0, length, width, key_rows);
            for (int64_t i = 0; i < length; i++) {
                std::fill_n(dkey.row(i), width, 0.0f);
                std::fill_n(dvalue.row(i), width, 0.0f);
            }
            for (int64_t start = 0; start < length; start += tile) {
                int64_t rows = std::min(tile, length - start), seen = start + rows;
                multiply_panels(query.row(start), query.stride, 1, key_columns, width, shares, rows, width, seen, false);
                multiply_panels(dout.row(start), dout.stride, 1, value_columns, width, slopes, rows, width, seen, false);
                for (int64_t i = 0; i < rows; i++)
                    softmax_slopes(
                        shares.row(i), slopes.row(i), out.row(start + i), dout.row(start + i), start + i + 1, seen, width,
                        logarithm[head * tokens + segment.start + start + i], scale);
                multiply_panels(
                    slopes.values, padded, 1, key_rows, length, Head(dquery.row(start), dquery.stride), rows, seen, width,
                    false);
                query.pack_rows(start, rows, width, rows_panel);
                multiply_panels(slopes.values, 1, padded, rows_panel, rows, dkey, seen, rows, width, true);
                dout.pack_rows(start, rows, width, rows_panel);
                multiply_panels(shares.values, 1, padded, rows_panel, rows, dvalue, seen, rows, width, true);
            }
        });
        if (group > 1) {
            dk = sum_of_groups(dk, k, width);
            dv = sum_of_groups(dv, v, width);
        }
        return {dq, dk, dv, Tensor(), Tensor()};
    }
};

}  // namespace

Tensor document_attention(
    const Tensor &queries, const Tensor &keys, const Tensor &values, const Tensor &documents, int64_t width) {
    TORCH_CHECK(
        documents.dim() == 2 && queries.dim() == 3 && documents.size(0) == queries.size(0)
            && documents.size(1) == queries.size(1) && keys.sizes() == values.sizes()
            && keys.size(0) == queries.size(0) && keys.size(1) == queries.size(1),
        "documents ", documents.sizes(), " or keys ", keys.sizes(), " do not fit queries ", queries.sizes());
    return DocumentAttention::apply(queries, keys, values, documents, width);
}

}  // namespace kuoci
