/// A set of pairs of symbols that never denies one it holds, and seldom takes in another: one bit for each hash.
struct PairFilter: Sendable {
    private var bits: [UInt64] = [0]
    /// The top bits of a pair's hash are its place.
    private var shift: UInt64 = 58

    @inline(__always)
    static func hash(_ left: Int32, _ right: Int32) -> UInt64 {
        let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
        return (key ^ key &>> 29) &* 0x9E37_79B9_7F4A_7C15
    }

    /// - Parameters:
    ///   - hashes: those of all pairs that the filter holds.
    ///   - bitsPerPair: of so many other pairs about one passes.
    init(_ hashes: [UInt64], bitsPerPair: Int) {
        var width: UInt64 = 6
        while 1 << width < bitsPerPair * hashes.count { width += 1 }
        shift = 64 - width
        bits = [UInt64](repeating: 0, count: 1 << (width - 6))
        for hash in hashes {
            let bit = hash >> shift
            bits[Int(bit >> 6)] |= 1 << (bit & 63)
        }
    }

    /// The filter's memory, for loops.
    struct View {
        private let bits: UnsafePointer<UInt64>
        private let shift: UInt64

        fileprivate init(_ bits: UnsafeBufferPointer<UInt64>, shift: UInt64) {
            // A buffer of an array with elements has a base address.
            self.bits = bits.baseAddress.unsafelyUnwrapped
            self.shift = shift
        }

        /// Zero if the filter does not hold the pair; one may be wrong.
        @inline(__always)
        func bit(_ hash: UInt64) -> UInt64 {
            // The shift leaves as many bits as the filter has places: every index is inside.
            let place = hash &>> shift
            return bits[Int(truncatingIfNeeded: place &>> 6)] &>> (place & 63) & 1
        }

        /// False if the filter does not hold the pair; true may be wrong.
        @inline(__always)
        func mayHold(_ hash: UInt64) -> Bool { bit(hash) == 1 }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        bits.withUnsafeBufferPointer { body(View($0, shift: shift)) }
    }
}
