import Foundation
import Partitioning
import PieceModel

/// The stretches of normalized text inside which pieces can form, each with how often it occurs.
///
/// Text is cut wherever the rules forbid any piece to pass, so equal stretches can be counted once. Their order tells
/// nothing: it depends on which core read what.
struct WordCounts: Sendable {
    private(set) var words = ByteStringTable(minimumCapacity: 1 << 12)
    private(set) var counts: [Int64] = []
    private(set) var tally = LineTally()

    mutating func add(_ word: UnsafeBufferPointer<UInt8>, count: Int64) {
        let (index, inserted) = words.insert(word)
        // Sums that are too large are found out, and refused, when all is counted.
        if inserted { counts.append(count) } else { counts[index] = counts[index].addingSaturated(count) }
    }

    fileprivate mutating func merge(_ other: WordCounts) {
        other.words.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<other.words.count {
                add(UnsafeBufferPointer(rebasing: bytes[other.words.range(of: index)]), count: other.counts[index])
            }
        }
    }

    /// Counts the words of a corpus, which `cut` finds in normalized sentences; no sentence is kept.
    init(
        _ corpus: TrainingCorpus, preparation: SentencePreparation,
        cut: @Sendable ([UInt8], (UnsafeBufferPointer<UInt8>) -> Void) -> Void
    ) throws {
        let lanes = Lanes()
        let tally = try corpus.map(preparation) { part in
            var counts = lanes.take()
            defer { lanes.giveBack(counts) }
            return (
                (),
                try preparation.forEachSentence(of: part) { line, frequency in
                    cut(preparation.normalize(line)) { counts.add($0, count: frequency) }
                }
            )
        } take: {
        }
        self = lanes.sum()
        self.tally = tally
    }

    /// Adds up the counts of files that hold them already, and says what all the files say of their words.
    ///
    /// - Parameter expected: what they must say; nil if they only must agree.
    /// - Throws: `TrainingError`, `FileError`.
    static func adding(
        countsIn parts: LineParts, expecting expected: CountsFormat?
    ) throws -> (counts: WordCounts, format: CountsFormat) {
        let lanes = Lanes()
        var found = expected
        try parts.map { part in
            var counts = lanes.take()
            defer { lanes.giveBack(counts) }
            return (part.path, try counts.add(part))
        } take: { path, formats in
            for format in formats {
                if let found, found != format { throw TrainingError.otherCounts(path: path) }
                found = format
            }
        }
        guard let found else {
            throw TrainingError.malformedLine(
                path: parts.files.first ?? "", line: 1, reason: "does not begin a table of counts")
        }
        var total = lanes.sum()
        for index in total.counts.indices {
            total.tally.addSentence(bytes: total.words.range(of: index).count, frequency: total.counts[index])
        }
        try total.tally.checkWeight(parts.files)
        return (total, found)
    }

    /// Adds the lines of a table and returns the first lines among them.
    private mutating func add(_ part: LineParts.Part) throws -> [CountsFormat] {
        var formats: [CountsFormat] = []
        try forEachLine(of: part) { start, line in
            if line.isEmpty { return }
            switch CountsFormat.parse(line) {
            case .first(let format): formats.append(format)
            case .word(let word, let count): word.withUnsafeBufferPointer { add($0, count: count) }
            case .malformed(let reason):
                throw TrainingError.malformedLine(path: part.path, line: part.lineNumber(at: start), reason: reason)
            }
        }
        return formats
    }

    fileprivate init() {}

    func characterCounts() -> CharacterCounts {
        var characters = CharacterCounts()
        words.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<words.count {
                characters.add(UnsafeBufferPointer(rebasing: bytes[words.range(of: index)]), counts[index])
            }
        }
        return characters
    }
}

/// The counts of the cores: each part of the text takes some, adds to them and gives them back.
private final class Lanes: @unchecked Sendable {
    private let lock = NSLock()
    private var idle: [WordCounts] = []

    func takeIfAny() -> WordCounts? {
        lock.withLock { idle.popLast() }
    }

    func take() -> WordCounts {
        takeIfAny() ?? WordCounts()
    }

    func sum() -> WordCounts {
        var total = take()
        while let other = takeIfAny() { total.merge(other) }
        return total
    }

    func giveBack(_ counts: WordCounts) {
        lock.withLock { idle.append(counts) }
    }
}
