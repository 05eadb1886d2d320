// Gradients are formed by hand where that saves memory or passes over it; matrix products are those of Products.h.
#include "Functions.h"

#include "Products.h"

#include <ATen/TensorIterator.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace kuoci {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool trains(const Tensor &tensor) {
    return tensor.defined() && tensor.requires_grad() && at::GradMode::is_enabled();
}

// Calls body(index) for all indices below `count` on libtorch's own threads. Its parallel_for is a template that needs this file to be
// compiled with libtorch's OpenMP; TensorIterator runs the same loop from inside the library.
template <class Body>
void for_each_index(int64_t count, Body body) {
    Tensor indices = at::arange(count, at::kLong);
    Tensor visited = at::empty({count}, at::kLong);
    auto iterator = at::TensorIteratorConfig().add_output(visited).add_const_input(indices).build();
    auto loop = [&](char **data, const int64_t *strides, int64_t length) {
        for (int64_t i = 0; i < length; i++) body(*reinterpret_cast<int64_t *>(data[1] + i * strides[1]));
    };
    iterator.for_each(loop, 1);
}

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

// Memory of this thread for `count` floats, until the next call with the same tag.
template <int tag>
float *scratch(int64_t count) {
    thread_local std::vector<float> memory;
    if (static_cast<int64_t>(memory.size()) < count) memory.resize(count);
    return memory.data();
}

int64_t quotient_up(int64_t count, int64_t divisor) { return (count + divisor - 1) / divisor; }

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

// c [m, n] (+)= a [m, k] times b [k, n]. a and c are in single precision, c's rows contiguous; b of any type and strides.
void multiply(const Tensor &a, const Tensor &b, const Tensor &c, bool accumulates = false) {
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
            for (int64_t k = 0; k < depth; k += block_depth)
                for (int64_t i = start; i < std::min(count, start + group); i++)
                    multiply_panel(
                        from + row * a_row + k * a_column, a_row, a_column,
                        panel_data + (i * depth + k) * panel_width,
                        to + row * c_stride + (first + i) * panel_width, c_stride, height,
                        std::min(block_depth, depth - k), panel_columns(first + i), accumulates || k > 0);
        });
    }
}

Tensor multiplied(const Tensor &a, const Tensor &b) {
    Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
    multiply(a, b, c);
    return c;
}

// The vocabulary's rows: of `weight` up to first_row, of the trained `rows` from there on.
struct VocabularyRows {
    Tensor weight, rows;
    int64_t first_row, count, width;

    VocabularyRows(const Tensor &weight, const Tensor &rows, int64_t first_row)
        : weight(weight), rows(rows.defined() ? rows.detach() : rows), count(weight.size(0)), width(weight.size(1)) {
        this->first_row = rows.defined() ? first_row : count;
        TORCH_CHECK(weight.is_contiguous(), "the vocabulary's rows do not lie one after another");
        TORCH_CHECK(
            !rows.defined() || (rows.is_contiguous() && rows.size(0) == count - first_row && rows.size(1) == width),
            "trained rows of shape ", rows.sizes(), " for a matrix of shape ", weight.sizes());
    }

    // `length` rows from `start` on, none of them on the other side of first_row; `scratch` has room for them.
    const float *values(int64_t start, int64_t length, float *scratch) const {
        if (start >= first_row) return rows.const_data_ptr<float>() + (start - first_row) * width;
        MatrixView from = from_row(view(weight), start);
        if (from.element == Element::float32) return static_cast<const float *>(from.data);
        widen(from, length, width, scratch);
        return scratch;
    }
};

// The cross-entropy of some tokens over the whole vocabulary, and its gradients (`kuoci_linear_cross_entropy`).
//
// Logits are kept as [panel of 64 tokens][vocabulary][64], so that a tile of the vocabulary's rows is multiplied as it
// lies in memory and a token's softmax runs down a column. A tile is exponentiated against its own maxima while it is in
// cache; the true ones enter as one factor for each tile and token when the gradients are formed, tile by tile too.
class HeadLoss {
public:
    HeadLoss(const VocabularyRows &vocabulary, int64_t most_tokens, bool wants_hidden, bool wants_rows)
        : vocabulary_(vocabulary), width_(vocabulary.width), wants_hidden_(wants_hidden), wants_rows_(wants_rows) {
        // A tile of rows fits beside its logits in the second cache.
        int64_t most_rows = std::clamp<int64_t>((1 << 15) / width_ / 6 * 6, 24, 96);
        for (int64_t start = 0; start < vocabulary.count;) {
            int64_t end = start < vocabulary.first_row ? vocabulary.first_row : vocabulary.count;
            tiles_.push_back({start, std::min(most_rows, end - start)});
            start += tiles_.back().length;
        }
        tile_rows_ = most_rows;
        int64_t panels = quotient_up(most_tokens, panel_width), tiles = tiles_.size();
        auto room = [](at::IntArrayRef shape) { return at::empty(shape, at::kFloat); };
        columns_ = room({panels, width_, panel_width});
        largest_ = room({tiles, panels, panel_width});
        sums_ = room({tiles, panels, panel_width});
        if (wants_hidden || wants_rows) logits_ = room({panels, vocabulary.count, panel_width});
        if (wants_rows) right_ = room({quotient_up(width_, panel_width), most_tokens, panel_width});
        if (wants_hidden) partial_ = room({partitions, panels, width_, panel_width});
    }

    // Tokens at once: their states, as right operand and as gradient, share the second cache with a tile.
    static int64_t suitable_tokens(int64_t width) {
        return std::clamp<int64_t>((1 << 16) / width / panel_width * panel_width, panel_width, 256);
    }

    // The losses of tokens x [n, D]; writes their gradient to dx and sets or adds to that of the trained rows.
    void run(const Tensor &x, const int64_t *targets, double *losses, float *dx, float *drows, bool adds) {
        tokens_ = x.size(0);
        panels_ = quotient_up(tokens_, panel_width);
        targets_ = targets;
        sort_targets();
        Tensor transposed = x.t();
        MatrixView columns = view(transposed), right = view(x);
        float *to = columns_.mutable_data_ptr<float>();
        for_each_index(panels_, [&](int64_t panel) {
            pack_panel(columns, width_, panel * panel_width, tokens_in(panel), to + panel * width_ * panel_width);
        });
        if (wants_rows_) {
            float *packed = right_.mutable_data_ptr<float>();
            for_each_index(quotient_up(width_, panel_width), [&](int64_t i) {
                int64_t first = i * panel_width, count = std::min(panel_width, width_ - first);
                pack_panel(right, tokens_, first, count, packed + i * tokens_ * panel_width);
            });
        }
        target_logits_.assign(tokens_, 0);
        for_each_index(tiles_.size(), [&](int64_t tile) { compute_logits(tile); });
        log_sums_.resize(tokens_);
        for_each_index(tokens_, [&](int64_t token) {
            log_sums_[token] = log_sum(token);
            losses[token] = log_sums_[token] - target_logits_[token];
        });
        if (!wants_hidden_ && !wants_rows_) return;
        int64_t share = quotient_up(tiles_.size(), partitions);
        for_each_index(partitions, [&](int64_t partition) {
            int64_t end = std::min<int64_t>(tiles_.size(), (partition + 1) * share);
            for (int64_t tile = partition * share; tile < end; tile++)
                form_gradients(tile, partition, tile == partition * share, drows, adds);
        });
        if (wants_hidden_) add_partitions(quotient_up(tiles_.size(), share), dx);
    }

private:
    struct Tile {
        int64_t start, length;
    };

    // Parts of the vocabulary whose shares of dx are formed apart and added in order, on any number of threads.
    static constexpr int64_t partitions = 32;

    int64_t tokens_in(int64_t panel) const { return std::min(panel_width, tokens_ - panel * panel_width); }

    int64_t tile_of(int64_t row) const {
        int64_t first = vocabulary_.first_row;
        if (row < first) return row / tile_rows_;
        return quotient_up(first, tile_rows_) + (row - first) / tile_rows_;
    }

    // Tokens by the tile that holds their target.
    void sort_targets() {
        target_starts_.assign(tiles_.size() + 1, 0);
        for (int64_t token = 0; token < tokens_; token++) target_starts_[tile_of(targets_[token]) + 1]++;
        for (size_t tile = 0; tile < tiles_.size(); tile++) target_starts_[tile + 1] += target_starts_[tile];
        std::vector<int64_t> next(target_starts_.begin(), target_starts_.end() - 1);
        by_tile_.resize(tokens_);
        for (int64_t token = 0; token < tokens_; token++) by_tile_[next[tile_of(targets_[token])]++] = token;
    }

    // Calls body(token, place of its target's logit in the tile's [panel][row][64]) for targets in a tile.
    template <class Body>
    void for_each_target(int64_t tile, int64_t panel_stride, Body body) const {
        for (int64_t i = target_starts_[tile]; i < target_starts_[tile + 1]; i++) {
            int64_t token = by_tile_[i], row = targets_[token] - tiles_[tile].start;
            body(token, token / panel_width * panel_stride + row * panel_width + token % panel_width);
        }
    }

    const float *tile_values(const Tile &tile) const {
        return vocabulary_.values(tile.start, tile.length, scratch<0>(tile_rows_ * width_));
    }

    void compute_logits(int64_t index) {
        const Tile &tile = tiles_[index];
        const float *weight = tile_values(tile), *x = columns_.const_data_ptr<float>();
        int64_t stride = tile.length * panel_width, offset = index * largest_.stride(0);
        float *logits = scratch<1>(panels_ * stride);
        if (logits_.defined()) {
            stride = logits_.stride(0);
            logits = logits_.mutable_data_ptr<float>() + tile.start * panel_width;
        }
        for (int64_t panel = 0; panel < panels_; panel++)
            multiply_panel(
                weight, width_, 1, x + panel * width_ * panel_width, logits + panel * stride, panel_width, tile.length,
                width_, panel_width, false);
        for_each_target(index, stride, [&](int64_t token, int64_t place) { target_logits_[token] = logits[place]; });
        for (int64_t panel = 0; panel < panels_; panel++)
            exponentiate_columns(
                logits + panel * stride, tile.length, largest_.mutable_data_ptr<float>() + offset + panel * panel_width,
                sums_.mutable_data_ptr<float>() + offset + panel * panel_width);
    }

    double log_sum(int64_t token) const {
        const float *largest = largest_.const_data_ptr<float>() + token, *sums = sums_.const_data_ptr<float>() + token;
        int64_t stride = largest_.stride(0), count = tiles_.size();
        float best = largest[0];
        for (int64_t tile = 1; tile < count; tile++)
            best = largest[tile * stride] > best ? largest[tile * stride] : best;
        double sum = 0;
        for (int64_t tile = 0; tile < count; tile++)
            sum += sums[tile * stride] * std::exp(largest[tile * stride] - best);
        return std::log(sum) + best;
    }

    void form_gradients(int64_t index, int64_t partition, bool is_first, float *drows, bool adds) {
        const Tile &tile = tiles_[index];
        bool trains_tile = wants_rows_ && tile.start >= vocabulary_.first_row;
        if (!wants_hidden_ && !trains_tile) return;
        int64_t stride = tile.length * panel_width;
        float *gradient = scratch<1>(panels_ * stride), factors[panel_width];
        for (int64_t panel = 0; panel < panels_; panel++) {
            const float *largest = largest_.const_data_ptr<float>() + index * largest_.stride(0) + panel * panel_width;
            for (int64_t j = 0; j < panel_width; j++) {
                int64_t token = panel * panel_width + j;
                factors[j] = token < tokens_ ? static_cast<float>(std::exp(largest[j] - log_sums_[token])) : 0;
            }
            const float *logits = logits_.const_data_ptr<float>() + panel * logits_.stride(0) + tile.start * panel_width;
            scale_columns(logits, factors, gradient + panel * stride, tile.length);
        }
        for_each_target(index, stride, [&](int64_t, int64_t place) { gradient[place] -= 1; });
        if (wants_hidden_) {
            const float *weight = tile_values(tile);
            float *to = partial_.mutable_data_ptr<float>() + partition * partial_.stride(0);
            for (int64_t panel = 0; panel < panels_; panel++)
                multiply_panel(
                    weight, 1, width_, gradient + panel * stride, to + panel * width_ * panel_width, panel_width,
                    width_, tile.length, panel_width, !is_first);
        }
        if (!trains_tile) return;
        const float *right = right_.const_data_ptr<float>();
        float *to = drows + (tile.start - vocabulary_.first_row) * width_;
        for (int64_t panel = 0; panel < panels_; panel++)
            for (int64_t first = 0; first < width_; first += panel_width)
                multiply_panel(
                    gradient + panel * stride, panel_width, 1,
                    right + (first / panel_width * tokens_ + panel * panel_width) * panel_width, to + first, width_,
                    tile.length, tokens_in(panel), std::min(panel_width, width_ - first), adds || panel > 0);
    }

    void add_partitions(int64_t count, float *dx) const {
        const float *partial = partial_.const_data_ptr<float>();
        int64_t stride = partial_.stride(0);
        for_each_index(panels_ * width_, [&](int64_t place) {
            int64_t panel = place / width_, column = place % width_;
            float sums[panel_width] = {};
            for (int64_t partition = 0; partition < count; partition++)
                for (int64_t j = 0; j < panel_width; j++)
                    sums[j] += partial[partition * stride + place * panel_width + j];
            for (int64_t j = 0; j < tokens_in(panel); j++)
                dx[(panel * panel_width + j) * width_ + column] = sums[j];
        });
    }

    const VocabularyRows &vocabulary_;
    const int64_t width_;
    const bool wants_hidden_, wants_rows_;
    std::vector<Tile> tiles_;
    int64_t tile_rows_ = 0, tokens_ = 0, panels_ = 0;
    const int64_t *targets_ = nullptr;
    std::vector<int64_t> target_starts_, by_tile_;
    std::vector<double> log_sums_;
    std::vector<float> target_logits_;
    // Right operands: the states' transpose [panel][D][64], and the states [panel of D][token][64].
    Tensor columns_, right_;
    // [panel][vocabulary][64]: exp(logit - its tile's largest).
    Tensor logits_;
    // [tile][panel][64].
    Tensor largest_, sums_;
    // [partition][panel][D][64].
    Tensor partial_;
};

struct LinearCrossEntropy : public Function<LinearCrossEntropy> {
    static Tensor forward(
        AutogradContext *context, const Tensor &hidden, const Tensor &leaf, const Tensor &weight, const Tensor &targets,
        int64_t first_row, int64_t chunk, bool trains_hidden, bool trains_rows) {
        Tensor counted = targets.ge(0).nonzero().squeeze(1);
        bool is_dense = counted.size(0) == targets.size(0);
        Tensor x = is_dense ? hidden.contiguous() : hidden.index_select(0, counted);
        Tensor wanted = is_dense ? targets.contiguous() : targets.index_select(0, counted);
        VocabularyRows vocabulary(weight, first_row < weight.size(0) ? leaf : Tensor(), first_row);
        int64_t count = x.size(0);
        TORCH_CHECK(
            count == 0 || wanted.max().item<int64_t>() < vocabulary.count, "a target is outside of the vocabulary");
        Tensor dx = trains_hidden ? at::empty_like(x) : Tensor();
        Tensor drows;
        if (trains_rows) drows = count > 0 ? at::empty_like(leaf) : at::zeros_like(leaf);
        chunk = std::min({chunk, HeadLoss::suitable_tokens(vocabulary.width), std::max<int64_t>(count, 1)});
        HeadLoss head(vocabulary, chunk, trains_hidden, trains_rows);
        std::vector<double> losses(count);
        for (int64_t start = 0; start < count; start += chunk)
            head.run(
                x.narrow(0, start, std::min(chunk, count - start)), wanted.const_data_ptr<int64_t>() + start,
                losses.data() + start,
                trains_hidden ? dx.mutable_data_ptr<float>() + start * vocabulary.width : nullptr,
                trains_rows ? drows.mutable_data_ptr<float>() : nullptr, start > 0);
        double sum = 0;
        for (double loss : losses) sum += loss;
        if (trains_hidden && !is_dense) dx = at::zeros_like(hidden).index_copy_(0, counted, dx);
        context->saved_data["hidden"] = dx;
        context->saved_data["rows"] = drows;
        return at::full({}, sum, x.options());
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        float scale = gradients[0].item<float>();
        variable_list results(8);
        const char *names[] = {"hidden", "rows"};
        for (int i = 0; i < 2; i++) {
            Tensor gradient = context->saved_data[names[i]].toTensor();
            if (gradient.defined()) results[i] = scale == 1 ? gradient : gradient.mul_(scale);
        }
        // What autograd keeps as the leaf's gradient must not be held here too, or it would be copied.
        context->saved_data.clear();
        return results;
    }
};

// The rows [N, D] of ids, in single precision.
Tensor looked_up(const VocabularyRows &vocabulary, const Tensor &ids) {
    TORCH_CHECK(
        ids.numel() == 0 || (ids.min().item<int64_t>() >= 0 && ids.max().item<int64_t>() < vocabulary.count),
        "an id is outside of the vocabulary");
    int64_t width = vocabulary.width;
    Tensor listed = ids.contiguous(), output = at::empty({ids.size(0), width}, at::kFloat);
    const int64_t *id = listed.const_data_ptr<int64_t>();
    float *to = output.mutable_data_ptr<float>();
    for_each_index(ids.size(0), [&](int64_t i) {
        float *place = to + i * width;
        const float *values = vocabulary.values(id[i], 1, place);
        if (values != place) memcpy(place, values, width * sizeof(float));
    });
    return output;
}

// Rows of a matrix of which the rows from first_row on are trained (`kuoci_embedding`).
struct Embedding : public Function<Embedding> {
    static Tensor forward(
        AutogradContext *context, const Tensor &rows, const Tensor &weight, const Tensor &ids, int64_t first_row) {
        context->saved_data["ids"] = ids;
        context->saved_data["first_row"] = first_row;
        context->saved_data["rows"] = rows.size(0);
        return looked_up(VocabularyRows(weight, rows, first_row), ids);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        Tensor ids = context->saved_data["ids"].toTensor() - context->saved_data["first_row"].toInt();
        Tensor gradient = gradients[0].contiguous();
        Tensor rows = at::zeros({context->saved_data["rows"].toInt(), gradient.size(1)}, gradient.options());
        // One thread, tokens in order: a row's sum must not depend on the number of threads.
        const int64_t *id = ids.const_data_ptr<int64_t>();
        const float *from = gradient.const_data_ptr<float>();
        float *to = rows.mutable_data_ptr<float>();
        int64_t width = gradient.size(1);
        for (int64_t i = 0; i < gradient.size(0); i++) {
            if (id[i] < 0) continue;
            for (int64_t j = 0; j < width; j++) to[id[i] * width + j] += from[i * width + j];
        }
        return {rows, Tensor(), Tensor(), Tensor()};
    }
};

// Loops over rows keep this many partial sums, so that the order of additions, and with it every bit of the result,
// is the same at any vector width.
constexpr int64_t lanes = 16;

// Compiled for each vector width; the loader picks.
#if defined(__x86_64__) && defined(__clang__)
#define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORIZED
#endif

// Dropout whose mask is a hash of the seed and the element's index: the same on any thread, and made anew for the
// gradient instead of being kept (`kuoci_adapted_linear`).
VECTORIZED void drop(
    const float *from, float *to, int64_t count, uint32_t index, uint32_t seed, uint32_t threshold, float scale) {
    for (int64_t i = 0; i < count; i++) {
        uint32_t hash = (index + static_cast<uint32_t>(i)) * 0x9E3779B9u ^ seed;  // then MurmurHash3's finalizer
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6Bu;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35u;
        hash ^= hash >> 16;
        to[i] = hash >= threshold ? from[i] * scale : 0.0f;
    }
}

Tensor dropped(const Tensor &x, double probability, uint64_t seed) {
    Tensor input = x.contiguous(), output = at::empty_like(input);
    int64_t width = input.size(-1);
    const float *from = input.const_data_ptr<float>();
    float *to = output.mutable_data_ptr<float>();
    auto threshold = static_cast<uint32_t>(probability * 4294967296.0);
    auto scale = static_cast<float>(1 / (1 - probability));
    for_each_index(width == 0 ? 0 : input.numel() / width, [=](int64_t row) {
        // Both halves of the seed count, and the high bits of an index beyond 2^32.
        uint64_t first = row * width;
        uint32_t mixed = static_cast<uint32_t>(seed) ^ static_cast<uint32_t>(seed >> 32) * 0x27D4EB2Fu
            ^ static_cast<uint32_t>(first >> 32) * 0x165667B1u;
        drop(from + first, to + first, width, static_cast<uint32_t>(first), mixed, threshold, scale);
    });
    return output;
}

// The sums of a matrix's columns, each one chain from the first row to the last, on any number of threads.
Tensor column_sums(const Tensor &matrix) {
    Tensor input = matrix.contiguous(), sums = at::zeros({matrix.size(1)}, matrix.options());
    int64_t rows = matrix.size(0), width = matrix.size(1);
    const float *from = input.const_data_ptr<float>();
    float *to = sums.mutable_data_ptr<float>();
    for_each_index(quotient_up(width, panel_width), [=](int64_t panel) {
        int64_t first = panel * panel_width, end = std::min(width, first + panel_width);
        for (int64_t row = 0; row < rows; row++)
            for (int64_t j = first; j < end; j++) to[j] += from[row * width + j];
    });
    return sums;
}

// x [N, in] times weight [out, in] transposed, plus a bias (`kuoci_linear`).
Tensor projected(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
    Tensor output = at::empty({x.size(0), weight.size(0)}, x.options());
    if (bias) output.copy_(bias->to(at::kFloat).expand_as(output));
    multiply(x, weight.t(), output, bias.has_value());
    return output;
}

struct Linear : public Function<Linear> {
    static Tensor forward(
        AutogradContext *context, const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
        // The input is needed for the weight's gradient alone.
        context->save_for_backward({weight.requires_grad() ? x : Tensor(), weight});
        context->saved_data["trains_x"] = x.requires_grad();
        context->saved_data["trains_weight"] = weight.requires_grad();
        context->saved_data["trains_bias"] = bias && bias->requires_grad();
        return projected(x.contiguous(), weight, bias);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        Tensor gradient = gradients[0].contiguous();
        variable_list results(3);
        if (context->saved_data["trains_x"].toBool()) results[0] = multiplied(gradient, saved[1]);
        if (context->saved_data["trains_weight"].toBool()) results[1] = multiplied(gradient.t(), saved[0]);
        if (context->saved_data["trains_bias"].toBool()) results[2] = column_sums(gradient);
        return results;
    }
};

// A frozen projection with LoRA on it. Keeps its input and the low-rank product; what was dropped is found again from
// the seed (`kuoci_adapted_linear`).
struct AdaptedLinear : public Function<AdaptedLinear> {
    static Tensor forward(
        AutogradContext *context, const Tensor &x, const Tensor &down, const Tensor &up, const Tensor &weight,
        const std::optional<Tensor> &bias, double scaling, double probability, int64_t seed) {
        Tensor input = x.contiguous();
        Tensor kept = probability > 0 ? dropped(input, probability, static_cast<uint64_t>(seed)) : input;
        Tensor low = multiplied(kept, down.t()).mul_(scaling);
        context->save_for_backward({input, down, up, weight, low});
        context->saved_data["trains_x"] = x.requires_grad();
        context->saved_data["scaling"] = scaling;
        context->saved_data["probability"] = probability;
        context->saved_data["seed"] = seed;
        Tensor output = projected(input, weight, bias);
        multiply(low, up.t(), output, true);
        return output;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &down = saved[1], &up = saved[2], &weight = saved[3], &low = saved[4];
        double scaling = context->saved_data["scaling"].toDouble();
        double probability = context->saved_data["probability"].toDouble();
        auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
        Tensor gradient = gradients[0].contiguous();
        Tensor dlow = multiplied(gradient, up).mul_(scaling);
        Tensor kept = probability > 0 ? dropped(x, probability, seed) : x;
        variable_list results(8);
        results[1] = multiplied(dlow.t(), kept);
        results[2] = multiplied(gradient.t(), low);
        if (context->saved_data["trains_x"].toBool()) {
            Tensor through = multiplied(dlow, down);
            if (probability > 0) through = dropped(through, probability, seed);
            multiply(gradient, weight, through, true);
            results[0] = through;
        }
        return results;
    }
};

// The sum over j of a[j] * b[j], in the fixed order of the lanes.
VECTORIZED float dot(const float *a, const float *b, int64_t count) {
    float sums[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t j = 0; j < lanes; j++) sums[j] += a[i + j] * b[i + j];
    for (; i < count; i++) sums[0] += a[i] * b[i];
    float total = 0;
    for (int64_t j = 0; j < lanes; j++) total += sums[j];
    return total;
}

// Keeps its input and one number per row (`kuoci_rms_norm`).
struct RMSNorm : public Function<RMSNorm> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, double epsilon) {
        Tensor input = x.contiguous(), output = at::empty_like(input), scales = at::empty({x.size(0)}, x.options());
        int64_t width = x.size(1);
        const float *from = input.const_data_ptr<float>(), *w = weight.const_data_ptr<float>();
        float *to = output.mutable_data_ptr<float>(), *scale = scales.mutable_data_ptr<float>();
        for_each_index(x.size(0), [=](int64_t row) {
            const float *a = from + row * width;
            float factor = 1 / std::sqrt(dot(a, a, width) / width + static_cast<float>(epsilon));
            for (int64_t j = 0; j < width; j++) to[row * width + j] = w[j] * (a[j] * factor);
            scale[row] = factor;
        });
        context->save_for_backward({input, weight, scales});
        return output;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &scales = saved[2];
        Tensor gradient = gradients[0].contiguous(), dx = at::empty_like(x), dweight;
        int64_t width = x.size(1);
        const float *a = x.const_data_ptr<float>(), *g = gradient.const_data_ptr<float>();
        const float *w = weight.const_data_ptr<float>(), *scale = scales.const_data_ptr<float>();
        float *to = dx.mutable_data_ptr<float>();
        for_each_index(x.size(0), [=](int64_t row) {
            const float *in = a + row * width, *out = g + row * width;
            float *result = to + row * width;
            for (int64_t j = 0; j < width; j++) result[j] = out[j] * w[j];
            float factor = scale[row], mean = dot(result, in, width) / width * factor * factor;
            for (int64_t j = 0; j < width; j++) result[j] = factor * (result[j] - in[j] * mean);
        });
        if (context->needs_input_grad(1)) dweight = column_sums(gradient * x * scales.unsqueeze(1));
        return {dx, dweight, Tensor()};
    }
};

// Keeps only its two inputs (`kuoci_swiglu`).
struct SwiGLU : public Function<SwiGLU> {
    static Tensor forward(AutogradContext *context, const Tensor &gate, const Tensor &up) {
        context->save_for_backward({gate, up});
        return at::silu(gate).mul_(up);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &gate = saved[0], &up = saved[1], &gradient = gradients[0];
        return {at::silu_backward(gradient * up, gate), at::silu(gate).mul_(gradient)};
    }
};

// Rotary positions (`kuoci_rotate`). The rotation is orthogonal: its gradient is the rotation back.
Tensor rotated(const Tensor &x, const Tensor &cosines, const Tensor &sines, float direction) {
    int64_t width = cosines.size(1), half = width / 2, heads = x.size(1) / width;
    Tensor input = x.contiguous(), output = at::empty_like(input);
    const float *from = input.const_data_ptr<float>();
    const float *c = cosines.const_data_ptr<float>(), *s = sines.const_data_ptr<float>();
    float *to = output.mutable_data_ptr<float>();
    for_each_index(x.size(0), [=](int64_t row) {
        for (int64_t head = 0; head < heads; head++) {
            const float *a = from + (row * heads + head) * width;
            float *b = to + (row * heads + head) * width;
            for (int64_t j = 0; j < half; j++) {
                float cosine = c[row * width + j], sine = direction * s[row * width + j];
                b[j] = a[j] * cosine - a[j + half] * sine;
                b[j + half] = a[j + half] * cosine + a[j] * sine;
            }
        }
    });
    return output;
}

struct Rotation : public Function<Rotation> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &cosines, const Tensor &sines) {
        context->saved_data["cosines"] = cosines;
        context->saved_data["sines"] = sines;
        return rotated(x, cosines, sines, 1);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        Tensor cosines = context->saved_data["cosines"].toTensor(), sines = context->saved_data["sines"].toTensor();
        return {rotated(gradients[0], cosines, sines, -1), Tensor(), Tensor()};
    }
};

}  // namespace

Tensor linear(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
    return Linear::apply(x, weight, bias);
}

Tensor adapted_linear(
    const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias, const Tensor &down, const Tensor &up,
    double scaling, double dropout, uint64_t seed) {
    return AdaptedLinear::apply(x, down, up, weight, bias, scaling, dropout, static_cast<int64_t>(seed));
}

Tensor rms_norm(const Tensor &x, const Tensor &weight, double epsilon) { return RMSNorm::apply(x, weight, epsilon); }

Tensor swiglu(const Tensor &gate, const Tensor &up) { return SwiGLU::apply(gate, up); }

Tensor rotate(const Tensor &x, const Tensor &cosines, const Tensor &sines) { return Rotation::apply(x, cosines, sines); }

double squared_norm(const Tensor &tensor) {
    // Parts of a fixed size, added in order: the same bits on any number of threads.
    constexpr int64_t part = 1 << 14;
    Tensor values = tensor.contiguous();
    const float *from = values.const_data_ptr<float>();
    int64_t count = values.numel();
    std::vector<double> sums(quotient_up(count, part));
    for_each_index(sums.size(), [&](int64_t i) {
        const float *start = from + i * part;
        sums[i] = dot(start, start, std::min(part, count - i * part));
    });
    double total = 0;
    for (double sum : sums) total += sum;
    return total;
}

Tensor embedding(const Tensor &ids, const Tensor &weight, const Tensor &rows, int64_t first_row) {
    if (!trains(rows)) return looked_up(VocabularyRows(weight, rows, first_row), ids);
    return Embedding::apply(rows, weight, ids, first_row);
}

Tensor linear_cross_entropy(
    const Tensor &hidden, const Tensor &weight, const Tensor &rows, int64_t first_row, const Tensor &targets,
    int64_t chunk) {
    return LinearCrossEntropy::apply(
        hidden, rows.defined() ? rows : weight, weight, targets, rows.defined() ? first_row : weight.size(0), chunk,
        trains(hidden), trains(rows));
}

}  // namespace kuoci
