import Foundation
import Partitioning
import PieceModel

/// Fits a unigram language model to a corpus: seeds, expectation maximization, pruning, as sentencepiece 0.2.3 does it.
///
/// Pieces, their order and their scores have the bits that sentencepiece gives for the same `--num_threads`, which is a
/// property of the sums here and not of the machine: the result is the same on any number of cores.
struct UnigramTrainer {
    private let text: SymbolText
    private let rules: PieceRules
    private let specification: Sentencepiece_TrainerSpec
    private let options: UnigramOptions
    private let seedFile: SeedFile?
    private let threads: Int
    private let progress: ProgressHandler?
    /// How many pieces are to remain.
    private let desired: Int
    private let logarithms = RoundedLogarithms.shared

    private var pieces = ScoredPieces()
    private var shards: [LatticeShard] = []
    /// The texts of pieces that the corpus does not hold, as a file of seeds may name: never counted, only looked at.
    private var spare: LatticeShard?

    init(
        _ text: SymbolText, specification: Sentencepiece_TrainerSpec, options: UnigramOptions, seedFile: SeedFile?,
        threads: Int, progress: ProgressHandler?
    ) {
        self.seedFile = seedFile
        self.text = text
        rules = PieceRules(specification)
        self.specification = specification
        self.options = options
        self.threads = threads
        self.progress = progress
        desired = Int(Double(specification.vocabSize) * 1.1)
    }

    /// The pieces with their scores, unordered: more than the vocabulary needs, which the caller chooses from.
    mutating func train() throws -> UnigramPieces {
        progress?(ProgressUpdate(stage: "finding seeds", completed: 0))
        let extraction = SeedExtraction(
            text: text, rules: rules, options: options, vocabularySize: Int(specification.vocabSize),
            size: Int(specification.seedSentencepieceSize), file: seedFile, threads: threads)
        pieces = try extraction.seeds()
        try layOutLattices()
        let rounds = options.usesSparsePruning ? try trainSparsely() : try trainByLoss()
        progress?(ProgressUpdate(stage: "pruning pieces", completed: rounds, total: rounds))
        let minimum = try removeUnreachable()
        return UnigramPieces(
            texts: (0..<pieces.count).map { text.alphabet.text(of: pieces[$0]) }, scores: pieces.scores,
            minimumScore: minimum)
    }

    private mutating func layOutLattices() throws {
        let words = TrainingWords(text, rules: rules).words
        let trie = SymbolTrie(pieces, symbols: text.alphabet.count)
        let count = Int(specification.numThreads)
        let text = text
        shards = try concurrentMap(count: count, threads: threads) { shard in
            LatticeShard(
                stride(from: shard, to: words.count, by: count).map { words[$0] }, in: text.symbols.pointer, trie: trie)
        }
        if seedFile != nil { spare = try spareShard(trie) }
    }

    private func spareShard(_ trie: SymbolTrie) throws -> LatticeShard {
        let occurrences = try PieceOccurrences(shards, count: pieces.count, threads: threads)
        let missing = (0..<pieces.count).filter { !occurrences.contains($0) }.map { piece in
            let range = pieces.range(of: piece)
            return TrainingWords.Word(start: Int32(range.lowerBound), length: Int32(range.count), frequency: 0)
        }
        return pieces.symbols.withUnsafeBufferPointer { symbols in
            LatticeShard(symbols.baseAddress.map { _ in missing } ?? [], in: symbols.baseAddress, trie: trie)
        }
    }

    // MARK: Rounds

    /// Says how many rounds it took.
    private mutating func trainByLoss() throws -> Int {
        var round = 0
        repeat {
            round += 1
            for _ in 0..<specification.numSubIterations {
                note(round)
                maximize(try expectedCounts())
            }
            let pruning = UnigramPruning(
                shards: shards, spare: spare, model: LatticeModel(pieces), threads: threads)
            let limit = max(desired, Int(specification.shrinkingFactor * Float(pieces.count)))
            keep(try pruning.kept(atMost: limit))
        } while pieces.count > desired
        return round
    }

    private func note(_ round: Int) {
        // Each round leaves the same share of the pieces, until the wanted number is reached.
        let share = log(Double(max(1, desired)) / Double(max(1, pieces.count)))
        let left = max(1, Int((share / log(Double(specification.shrinkingFactor))).rounded(.up)))
        progress?(
            ProgressUpdate(
                stage: "pruning pieces", completed: round - 1, total: round - 1 + left,
                note: "\(pieces.count) pieces, \(desired) wanted"))
    }

    /// Each piece's expected frequency, summed shard by shard.
    private func expectedCounts() throws -> [Float] {
        let model = LatticeModel(pieces)
        let logarithms = logarithms
        var total = [Float](repeating: 0, count: pieces.count)
        try forEachShard(of: shards, threads: threads) { shard in
            let expected = SharedBuffer<Float>(repeating: 0, count: model.count)
            var counting = ExpectedCounts(model, logarithms: logarithms)
            guard counting.add(shard, to: expected) else {
                throw TrainingError.sentenceTooLong(characters: shard.longestWord)
            }
            return expected
        } merge: { number, expected in
            // The first shard's sums are where the others are added to.
            for piece in total.indices {
                total[piece] = number == 0 ? expected[piece] : total[piece] + expected[piece]
            }
        }
        return total
    }

    /// Pieces that are expected less than half a time go; the others get the score of a sparse prior.
    private mutating func maximize(_ expected: [Float]) {
        var kept: [Int32] = []
        var sum: Float = 0
        for (piece, count) in expected.enumerated() where count >= 0.5 {
            kept.append(Int32(piece))
            sum += count
        }
        let logSum = Float(digamma(Double(sum)))
        keep(kept)
        for (index, piece) in kept.enumerated() {
            pieces.scores[index] = Float(digamma(Double(expected[Int(piece)])) - Double(logSum))
        }
    }

    /// Keeps the pieces of a list, in its order.
    private mutating func keep(_ kept: [Int32]) {
        if kept.count == pieces.count, kept.indices.allSatisfy({ kept[$0] == Int32($0) }) { return }
        var numbers = [Int32](repeating: -1, count: pieces.count)
        for (number, piece) in kept.enumerated() { numbers[Int(piece)] = Int32(number) }
        pieces = pieces.selecting(kept)
        DispatchQueue.concurrentPerform(iterations: shards.count) { [shards, numbers] in shards[$0].renumber(numbers) }
        spare?.renumber(numbers)
    }

    /// Drops pieces whose parts have a higher score; says the lowest score of those that stay.
    private mutating func removeUnreachable() throws -> Float {
        let model = LatticeModel(pieces)
        let occurrences = try PieceOccurrences(
            shards + [spare].compactMap { $0 }, count: pieces.count, threads: threads)
        var lattice = PieceLattice()
        var kept: [Int32] = []
        for piece in 0..<pieces.count {
            if occurrences.layOut(piece, model, in: &lattice) {
                guard let scores = lattice.bestScore(withoutPiece: Int32(piece)) else { continue }
                if scores.other > scores.own { continue }
            }
            kept.append(Int32(piece))
        }
        pieces = pieces.selecting(kept)
        return pieces.scores.min() ?? .greatestFiniteMagnitude
    }

    // MARK: Sparse pruning

    /// L1 relaxation: each round subtracts a price from all expected counts, at which the wanted share of pieces remains.
    private mutating func trainSparsely() throws -> Int {
        var price: Float = 0
        var round = 0
        while true {
            note(round + 1)
            let expected = try expectedCounts()
            if Double(expected.count) > Double(desired) * 1.05 {
                let active = max(desired, Int(Float(expected.count) * 0.75))
                price = max(price, expected.sorted(by: >)[active])
            }
            let kept = expected.indices.filter { expected[$0] >= price }.map { Int32($0) }
            keep(kept)
            weigh(kept.map { max(1e-4, expected[Int($0)] - price) })
            if expected.count <= desired || round >= 50 { break }
            round += 1
        }
        if options.removesPenaltyBias { weigh(try expectedCounts().map { max(1e-4, $0) }) }
        return round + 1
    }

    private mutating func weigh(_ weights: [Float]) {
        pieces.scores = weights
        pieces.takeLogarithms()
    }
}

/// What unigram training gives.
struct UnigramPieces {
    /// In UTF-8.
    var texts: [[UInt8]]
    var scores: [Float]
    /// The lowest of the scores.
    var minimumScore: Float
}

/// Calls `body` for each shard on all cores and `merge` with the results in order, never holding more than a few.
func forEachShard<Result: Sendable>(
    of shards: [LatticeShard], threads: Int, _ body: @Sendable (LatticeShard) throws -> Result,
    merge: (Int, Result) -> Void
) throws {
    // Several for each core, so that uneven shards balance.
    let wave = max(1, threads) * 4
    for start in stride(from: 0, to: shards.count, by: wave) {
        let count = min(wave, shards.count - start)
        let results = try concurrentMap(count: count, threads: threads) { try body(shards[start + $0]) }
        for (offset, result) in results.enumerated() { merge(start + offset, result) }
    }
}

/// The logarithmic derivative of the gamma function, with sentencepiece's series and order of sums.
func digamma(_ value: Double) -> Double {
    var x = value
    var result = 0.0
    while x < 7 {
        result -= 1 / x
        x += 1
    }
    x -= 0.5
    let inverse = 1 / x
    let square = inverse * inverse
    let fourth = square * square
    return result
        + (log(x) + (1.0 / 24.0) * square - (7.0 / 960.0) * fourth + (31.0 / 8064.0) * fourth * square
            - (127.0 / 30720.0) * fourth * fourth)
}
