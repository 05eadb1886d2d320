// The vocabulary's matrices: rows looked up, and the loss over all of them, with their gradients.
#include "Functions.h"

#include "Matrices.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

namespace kuoci {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Whether a gradient is wanted; undefined tensors want none.
bool trains(const Tensor &tensor) {
    return tensor.defined() && tensor.requires_grad() && at::GradMode::is_enabled();
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
            // Rows a power of two apart share few sets of the cache: a line between them.
            int64_t spread = width_ + 16;
            float *weight = scratch<2>(tile_rows_ * spread);
            const float *values = tile_values(tile);
            for (int64_t row = 0; row < tile.length; row++)
                std::copy_n(values + row * width_, width_, weight + row * spread);
            float *to = partial_.mutable_data_ptr<float>() + partition * partial_.stride(0);
            for (int64_t panel = 0; panel < panels_; panel++)
                multiply_panel(
                    weight, 1, spread, gradient + panel * stride, to + panel * width_ * panel_width, panel_width,
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

}  // namespace

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
