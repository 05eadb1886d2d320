/// A set of numbers below a count, a bit for each.
struct BitTable: Sendable {
    private var words: [UInt64]

    init(count: Int) {
        words = [UInt64](repeating: 0, count: count / 64 + 1)
    }

    mutating func insert(_ number: Int) {
        words[number >> 6] |= 1 << UInt64(number & 63)
    }

    /// The table's memory, for loops.
    struct View {
        fileprivate let words: UnsafeBufferPointer<UInt64>

        /// - Parameter number: from zero to before the count.
        @inline(__always)
        func contains(_ number: Int32) -> Bool {
            words[Int(number) &>> 6] &>> UInt64(truncatingIfNeeded: number & 63) & 1 == 1
        }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        words.withUnsafeBufferPointer { body(View(words: $0)) }
    }
}
