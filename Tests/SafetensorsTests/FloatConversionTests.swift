import Foundation
import Safetensors
import Testing

struct FloatConversionTests {
    @Test func everyBFloat16SurvivesTheRoundTrip() {
        var changed: [UInt16] = []
        for word in UInt16.min...UInt16.max {
            let bytes = withUnsafeBytes(of: word.littleEndian) { Array($0) }
            let value = bytes.withUnsafeBytes { TensorType.bfloat16.floats($0) }
            if value[0].isNaN { continue }
            if TensorType.bfloat16.bytes(value) != bytes { changed.append(word) }
        }
        #expect(changed == [])
    }

    @Test func everyFloat16SurvivesTheRoundTrip() {
        var changed: [UInt16] = []
        for word in UInt16.min...UInt16.max {
            let bytes = withUnsafeBytes(of: word.littleEndian) { Array($0) }
            let value = bytes.withUnsafeBytes { TensorType.float16.floats($0) }
            if value[0].isNaN { continue }
            if TensorType.float16.bytes(value) != bytes { changed.append(word) }
        }
        #expect(changed == [])
    }

    /// Against the definition: the nearest of the two neighbours, ties to the even one.
    @Test func bfloat16RoundsToNearestEven() {
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: state >> 32))
            guard value.isFinite, value.magnitude < 3e38 else { continue }
            let low = value.bitPattern & 0xFFFF_0000
            let below = Double(Float(bitPattern: low))
            let above = Double(Float(bitPattern: low &+ 0x1_0000))
            let toBelow = abs(Double(value) - below)
            let toAbove = abs(Double(value) - above)
            let isEven = low >> 16 & 1 == 0
            let expected = toBelow < toAbove || (toBelow == toAbove && isEven) ? low : low &+ 0x1_0000
            let bytes = TensorType.bfloat16.bytes([value])
            #expect(UInt32(bytes[0]) | UInt32(bytes[1]) << 8 == expected >> 16, "\(value)")
        }
    }

    @Test(
        arguments: [
            (Float.nan, [0xC0, 0x7F]), (Float.infinity, [0x80, 0x7F]), (-Float.infinity, [0x80, 0xFF]),
            (Float.greatestFiniteMagnitude, [0x80, 0x7F]), (Float(bitPattern: 0x7F80_0001), [0xC0, 0x7F]),
            (-0.0, [0x00, 0x80]), (1, [0x80, 0x3F]),
        ] as [(Float, [UInt8])])
    func edgesOfBFloat16(_ value: Float, _ bytes: [UInt8]) {
        #expect(TensorType.bfloat16.bytes([value]) == bytes)
    }

    @Test func unalignedBytesAreRead() {
        let bytes: [UInt8] = [0xAA] + TensorType.float32.bytes([1, 2]) + TensorType.float64.bytes([3])
        let floats = bytes.withUnsafeBytes {
            TensorType.float32.floats(UnsafeRawBufferPointer(rebasing: $0[1..<9]))
                + TensorType.float64.floats(UnsafeRawBufferPointer(rebasing: $0[9...]))
        }
        #expect(floats == [1, 2, 3])
    }
}
