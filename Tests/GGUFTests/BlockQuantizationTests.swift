import GGUF
import SeededRandom
import Testing

/// q8_0 and q4_0 spelled out in double precision where that is exact, in `Float` where the reference rounds.
private func slowQ8(_ block: [Float]) -> [UInt8] {
    let scale = block.map(\.magnitude).max()! / 127
    let factor = scale == 0 ? 0 : 1 / scale
    return halfBytes(scale)
        + block.map { UInt8(bitPattern: Int8(($0 * factor).rounded(.toNearestOrAwayFromZero))) }
}

private func slowQ4(_ block: [Float]) -> [UInt8] {
    let largest = block.map(\.magnitude).max()!
    let scale = block.first { $0.magnitude == largest }! / -8
    let factor = scale == 0 ? 0 : 1 / scale
    let steps = block.map { UInt8(min(15, ($0 * factor + 8.5).rounded(.towardZero))) }
    return halfBytes(scale) + (0..<16).map { steps[$0] | steps[$0 + 16] << 4 }
}

private func halfBytes(_ value: Float) -> [UInt8] {
    let bits = Float16(value).bitPattern
    return [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)]
}

private func quantize(_ type: GGUFTensorType, _ numbers: [Float]) -> [UInt8]? {
    numbers.withUnsafeBufferPointer { type.quantize($0) }
}

private func dequantize(_ type: GGUFTensorType, _ bytes: [UInt8]) -> [Float] {
    bytes.withUnsafeBytes { type.dequantize($0) }
}

@Suite struct BlockQuantizationTests {
    @Test func `blocks are those of the slow rounding`() {
        var generator = SplitMix64(seed: 11)
        for round in 0..<2000 {
            let deviation = Float(sign: .plus, exponent: Int(generator.next() % 20) - 12, significand: 1)
            let block = (0..<32).map { _ in Float(Int64(bitPattern: generator.next()) >> 40) / 8_388_608 * deviation }
            #expect(quantize(.q8_0, block) == slowQ8(block), "round \(round)")
            #expect(quantize(.q4_0, block) == slowQ4(block), "round \(round)")
        }
    }

    @Test func `halves go away from zero, zeros stay zeros, equal magnitudes take the first`() {
        // 127 makes the scale 1.
        let halves: [Float] =
            [127, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.49999997, -0.49999997, 126.5]
            + Array(repeating: Float(0), count: 22)
        #expect(quantize(.q8_0, halves) == slowQ8(halves))
        #expect(quantize(.q8_0, halves)?[3] == 1)
        let zeros = [Float](repeating: 0, count: 32)
        #expect(quantize(.q8_0, zeros) == Array(repeating: 0, count: 34))
        #expect(quantize(.q4_0, zeros) == [0x00, 0x80] + Array(repeating: 0x88, count: 16))
        let pair = [-2, 2] + Array(repeating: Float(0.3), count: 30)
        #expect(quantize(.q4_0, pair) == slowQ4(pair))
    }

    @Test(arguments: [GGUFTensorType.q8_0, .q4_0])
    func `what cannot be held is refused`(_ type: GGUFTensorType) {
        for wrong in [Float.nan, -.nan, .infinity, -.infinity, 1e30] {
            var block = [Float](repeating: 0.25, count: 64)
            block[40] = wrong
            #expect(quantize(type, block) == nil)
        }
        // A scale below the least Float16 is none.
        let tiny = [Float](repeating: .leastNonzeroMagnitude, count: 32)
        #expect(dequantize(type, quantize(type, tiny) ?? []).allSatisfy { $0 == 0 })
    }

    @Test func `numbers come back within half a step`() throws {
        let block = (0..<64).map { Float($0 - 30) / 7 }
        let eight = dequantize(.q8_0, try #require(quantize(.q8_0, block)))
        let four = dequantize(.q4_0, try #require(quantize(.q4_0, block)))
        let largest: Float = 33.0 / 7
        for (index, value) in block.enumerated() {
            let gaps = (eight: abs(eight[index] - value), four: abs(four[index] - value))
            #expect(gaps.eight < largest / 127 * 0.6)
            // The eighth step upward is missing: what lies there loses a whole one.
            #expect(gaps.four < largest / 8 * 1.01)
        }
    }

    @Test func `the layout of q6_K`() {
        // One block: whole scale 1, each part's scale its number, low bits the place, high bits 2: q = low + 32 - 32.
        var block = (0..<128).map { UInt8($0 % 16) | UInt8($0 % 16) << 4 } + Array(repeating: 0xAA, count: 64)
        block += (0..<16).map { UInt8($0) } + halfBytes(1)
        let numbers = dequantize(.q6_K, block)
        #expect(numbers.count == 256)
        for (index, number) in numbers.enumerated() {
            let expected = Float(index / 16 * (index % 16))
            #expect(number == expected)
        }
    }
}
