#include "DynamicMap.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kuoci {
namespace {

/// `count` numbers from 0.1 to 1, from both ends inward, each rounded once: torch.linspace, bit for bit.
std::vector<float> evenly_spaced(int count) {
    std::vector<float> numbers(count);
    float first = 0.1f, last = 1.0f, step = (last - first) / static_cast<float>(count - 1);
    for (int i = 0; i < count; i++)
        numbers[i] = i < count / 2 ? std::fma(step, static_cast<float>(i), first)
                                   : std::fma(-step, static_cast<float>(count - 1 - i), last);
    return numbers;
}

float number_of(uint32_t bits) {
    float number;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

}  // namespace

DynamicMap::DynamicMap(bool is_signed) : lowest(size_t(1) << (32 - key_shift)) {
    fill(is_signed);
    index();
}

const DynamicMap &DynamicMap::signed_map() {
    static const DynamicMap map(true);
    return map;
}

const DynamicMap &DynamicMap::unsigned_map() {
    static const DynamicMap map(false);
    return map;
}

/// Each power of ten from 1e-6 on has twice as many numbers as the one below it: the middles of equal parts.
void DynamicMap::fill(bool is_signed) {
    std::vector<float> all{0, 1};
    for (int i = 0; i < 7; i++) {
        auto power = static_cast<float>(std::pow(10.0, i - 6));
        std::vector<float> edges = evenly_spaced((is_signed ? 1 << i : 2 << i) + 1);
        for (size_t part = 0; part + 1 < edges.size(); part++) {
            float number = power * ((edges[part] + edges[part + 1]) / 2);
            all.push_back(number);
            if (is_signed) all.push_back(-number);
        }
    }
    TORCH_CHECK(all.size() == 256, "a dynamic map of ", all.size(), " numbers");
    std::sort(all.begin(), all.end());
    std::copy(all.begin(), all.end(), numbers);
    for (int code = 0; code < 255; code++) ends[code] = (numbers[code] + numbers[code + 1]) / 2;
    ends[255] = std::numeric_limits<float>::infinity();
}

/// For all numbers that begin with the same bits the code of the lowest.
void DynamicMap::index() {
    auto nearest = [&](float x) { return static_cast<int>(std::lower_bound(ends, ends + 255, x) - ends); };
    for (uint32_t key = 0; key < lowest.size(); key++) {
        uint32_t bits = key << key_shift;
        float outer = number_of(bits | ((1u << key_shift) - 1)), inner = number_of(bits);
        // Infinity begins as what is no number does; neither is ever asked for.
        bool is_number = std::isfinite(inner) && std::isfinite(outer);
        int low = is_number ? nearest(std::min(inner, outer)) : 255;
        TORCH_CHECK(!is_number || nearest(std::max(inner, outer)) <= low + 1, "numbers of more than two codes");
        lowest[key] = static_cast<uint8_t>(low);
    }
}

}  // namespace kuoci
