// Numbers of 8 bits for what spans many powers of ten (Dettmers et al., 8-bit Optimizers via Block-wise Quantization,
// 2021): the further from 1, the fewer bits are left for the fraction.
#pragma once

#include "CTorch.h"

#include <cstdint>
#include <cstring>
#include <vector>

namespace kuoci {

/// Values of a block, which share the size that they are shares of.
constexpr int64_t quantized_block = kuoci_quantized_block;
/// A size to divide by at least; bitsandbytes' bound.
constexpr float smallest_absmax = 1e-38f;

/// The 256 numbers that a code stands for, ascending; for -1 to 1, or from 0 on.
class DynamicMap {
public:
    explicit DynamicMap(bool is_signed);

    static const DynamicMap &signed_map();
    static const DynamicMap &unsigned_map();

    const float *values() const { return numbers; }
    /// For each code the largest number that is no nearer to the next one; the last one has no end.
    const float *limits() const { return ends; }

    /// The code nearest to x, of two the lower one, is `first_code` or, where x is beyond its limit, the next.
    uint8_t first_code(float x) const {
        uint32_t bits;
        std::memcpy(&bits, &x, sizeof bits);
        return lowest[bits >> key_shift];
    }

private:
    // Sign, exponent and 7 bits of the fraction tell a number's code but for one.
    static constexpr int key_shift = 16;

    float numbers[256];
    float ends[256];
    std::vector<uint8_t> lowest;

    void fill(bool is_signed);
    void index();
};

}  // namespace kuoci
