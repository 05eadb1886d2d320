import FileIO
import Glibc
import Partitioning
public import Tokenizers

/// How texts use the entries of a vocabulary.
public struct CorpusUse: Sendable {
    /// Lines that are not empty.
    public private(set) var texts = 0
    public private(set) var tokens = 0
    /// For each id how often it comes.
    public private(set) var counts: [Int]
    /// For each row that is watched how often it comes between which neighbours.
    private var contexts: [PieceID: [Context: Int]] = [:]

    /// The entries to the left and right of one; nil where the text begins or ends.
    struct Context: Hashable, Sendable {
        var left: PieceID?
        var right: PieceID?
    }

    /// A row that texts have in few surroundings for how often they have it, as a notice that pages repeat.
    public struct JunkCandidate: Sendable, Equatable {
        public var id: PieceID
        /// How often it comes.
        public var count: Int
        /// Different pairs of neighbours.
        public var contexts: Int
        /// e to the entropy of the pairs: of so many equally frequent ones it has the diversity.
        public var diversity: Double
    }

    /// Rows of fewer characters are not suspected.
    public static let junkLength = 4
    /// Rows that come less often are not suspected.
    public static let junkCount = 10

    /// - Parameters:
    ///   - paths: text files, one text a line.
    ///   - watched: rows whose neighbours are looked at.
    init(_ paths: [String], _ tokenizer: Tokenizer, watching watched: Set<PieceID>) throws {
        self.init(entries: tokenizer.count)
        for path in paths {
            var reader = try LineReader(path)
            self = try reduceInBatches(
                into: self,
                next: { try reader.withNextLine { (Array($0), $0.count + 1) } },
                transform: { lines in
                    var use = CorpusUse(entries: tokenizer.count)
                    for line in lines { use.add(line.withUnsafeBufferPointer { tokenizer.encode(utf8: $0) }, watched) }
                    return use
                },
                merge: { $0.add($1) })
        }
    }

    private init(entries: Int) {
        counts = [Int](repeating: 0, count: entries)
    }

    private mutating func add(_ ids: [PieceID], _ watched: Set<PieceID>) {
        if ids.isEmpty { return }
        texts += 1
        tokens += ids.count
        for (place, id) in ids.enumerated() {
            counts[Int(id.rawValue)] += 1
            guard watched.contains(id) else { continue }
            let context = Context(
                left: place > 0 ? ids[place - 1] : nil, right: place + 1 < ids.count ? ids[place + 1] : nil)
            contexts[id, default: [:]][context, default: 0] += 1
        }
    }

    private mutating func add(_ other: CorpusUse) {
        texts += other.texts
        tokens += other.tokens
        for index in counts.indices { counts[index] += other.counts[index] }
        for (id, found) in other.contexts { contexts[id, default: [:]].merge(found, uniquingKeysWith: +) }
    }

    /// The watched rows whose diversity of contexts is below the square root of how often they come; the least diverse for
    /// their number first.
    var junkCandidates: [JunkCandidate] {
        let all = contexts.map { id, found in
            JunkCandidate(
                id: id, count: found.values.reduce(0, +), contexts: found.count,
                diversity: effectiveNumber(found.values))
        }
        func square(_ candidate: JunkCandidate) -> Double {
            candidate.diversity * candidate.diversity / Double(candidate.count)
        }
        return all.filter { $0.count >= Self.junkCount && square($0) < 1 }
            .sorted { square($0) != square($1) ? square($0) < square($1) : $0.id < $1.id }
    }
}

/// e to the entropy of a distribution given by counts; summed in the order of the counts, so that it is always the same.
func effectiveNumber(_ counts: some Sequence<Int>) -> Double {
    let counts = counts.sorted()
    let total = Double(counts.reduce(0, +))
    let entropy = counts.reduce(0.0) { sum, count in
        let share = Double(count) / total
        return sum - share * log(share)
    }
    return exp(entropy)
}
