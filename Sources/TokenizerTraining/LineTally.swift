/// How many lines of the corpus were used, and how many not, and why.
struct LineTally: Sendable, Equatable {
    var sentences = 0
    var empty = 0
    /// Longer than the longest sentence.
    var tooLong = 0
    /// With the character that stands for unknown ones.
    var reserved = 0
    /// More than any sum of counts that training forms: characters by frequency; the largest number if it is too large.
    private(set) var weight: Int64 = 0

    /// One byte of text becomes at most so many characters.
    private static let mostCharacters: Int64 = 32

    mutating func addSentence(bytes: Int, frequency: Int64) {
        sentences += 1
        addWeight(bytes: bytes, frequency: frequency)
    }

    mutating func addWeight(bytes: Int, frequency: Int64) {
        let most = (Int64(bytes) + 2) * Self.mostCharacters
        let (product, isTooLarge) = frequency.multipliedReportingOverflow(by: most)
        weight = isTooLarge ? .max : weight.addingSaturated(product)
    }

    /// - Throws: `TrainingError.tooFrequent` if sums of counts could overflow.
    func checkWeight(_ paths: [String]) throws(TrainingError) {
        if weight == .max { throw .tooFrequent(paths: paths) }
    }

    static func += (total: inout LineTally, other: LineTally) {
        total.sentences += other.sentences
        total.empty += other.empty
        total.tooLong += other.tooLong
        total.reserved += other.reserved
        total.weight = total.weight.addingSaturated(other.weight)
    }
}

extension Int64 {
    /// The sum of two numbers that are not negative, at most the largest number.
    @inline(__always)
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        return isTooLarge ? .max : sum
    }
}

extension SentencePreparation {
    /// Calls `body` with the raw text and frequency of each line that can be used.
    ///
    /// - Throws: `TrainingError.malformedLine`.
    func forEachSentence(
        of part: LineParts.Part, _ body: (UnsafeBufferPointer<UInt8>, Int64) -> Void
    ) throws -> LineTally {
        var tally = LineTally()
        try forEachLine(of: part) { start, line in
            switch verdict(on: line) {
            case .use(let text, let frequency):
                tally.addSentence(bytes: text.count, frequency: frequency)
                body(text, frequency)
            case .empty: tally.empty += 1
            case .tooLong: tally.tooLong += 1
            case .reserved: tally.reserved += 1
            case .malformed(let reason):
                throw TrainingError.malformedLine(path: part.path, line: part.lineNumber(at: start), reason: reason)
            }
        }
        return tally
    }
}

/// Calls `body` with where each line of a part begins, and with the line.
func forEachLine(of part: LineParts.Part, _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Void) rethrows {
    var start = 0
    while start < part.bytes.count {
        let end = endOfLine(in: part.bytes, from: start)
        try body(start, UnsafeBufferPointer(rebasing: part.bytes[start..<end]))
        start = end + 1
    }
}
