import Foundation
import Partitioning

/// Chooses the pieces whose loss would hurt most, as sentencepiece estimates it.
struct UnigramPruning {
    let shards: [LatticeShard]
    let spare: LatticeShard?
    let model: LatticeModel
    let threads: Int

    /// The pieces to keep: those that nothing can stand for, then the others by falling loss of likelihood.
    func kept(atMost limit: Int) throws -> [Int32] {
        let alternatives = try alternatives()
        let counts = try bestPathCounts()
        var doubleSum = 0.0
        for count in counts { doubleSum += Double(count) }
        let estimate = LossEstimate(counts: counts, sum: Float(doubleSum))

        var kept: [Int32] = []
        var candidates: [(piece: Int32, loss: Float)] = []
        for piece in 0..<model.count where counts[piece] != 0 {
            switch alternatives[piece] {
            case .split: continue
            case .only: kept.append(Int32(piece))
            case .path(let path): candidates.append((Int32(piece), estimate.loss(of: piece, replacedBy: path)))
            }
        }
        candidates.sort { $0.loss != $1.loss ? $0.loss > $1.loss : $0.piece < $1.piece }
        for candidate in candidates {
            // Only equality ends it: if what must stay is more than the limit, all stay.
            if kept.count == limit { break }
            kept.append(candidate.piece)
        }
        return kept
    }

    private enum Alternative {
        case only, split
        case path(ArraySlice<Int32>)
    }

    /// What would stand in each piece's place.
    private func alternatives() throws -> [Alternative] {
        let occurrences = try PieceOccurrences(
            shards + [spare].compactMap { $0 }, count: model.count, threads: threads)
        let ranges = partitions(of: model.count, into: max(1, threads) * 8)
        let found = try concurrentMap(count: ranges.count, threads: threads) { part in
            judge(ranges[part], occurrences)
        }
        var result: [Alternative] = []
        result.reserveCapacity(model.count)
        for (verdicts, ends, paths) in found {
            var start = 0
            for (verdict, end) in zip(verdicts, ends) {
                switch verdict {
                case .only: result.append(.only)
                case .split: result.append(.split)
                case .alternative: result.append(.path(paths[start..<Int(end)]))
                }
                start = Int(end)
            }
        }
        return result
    }

    private func judge(
        _ range: Range<Int>, _ occurrences: PieceOccurrences
    ) -> (verdicts: [PieceLattice.Verdict], ends: [Int32], paths: [Int32]) {
        var lattice = PieceLattice()
        var verdicts: [PieceLattice.Verdict] = []
        var ends: [Int32] = []
        var paths: [Int32] = []
        for piece in range {
            // A piece that occurs nowhere is on no path: what is said of it does not matter.
            let occurs = occurrences.layOut(piece, model, in: &lattice)
            verdicts.append(occurs ? lattice.judge(into: &paths) : .split)
            ends.append(Int32(paths.count))
        }
        return (verdicts, ends, paths)
    }

    /// How often each piece is used when each word is cut in the best way.
    private func bestPathCounts() throws -> [Float] {
        let model = model
        var total = [Float](repeating: 0, count: model.count)
        try forEachShard(of: shards, threads: threads) { shard in
            let counts = SharedBuffer<Float>(repeating: 0, count: model.count)
            var paths = BestPaths(model)
            paths.add(shard, to: counts)
            return counts
        } merge: { _, counts in
            for piece in total.indices { total[piece] += counts[piece] }
        }
        return total
    }
}

/// How much less likely the corpus would be without a piece.
private struct LossEstimate {
    let counts: [Float]
    let sum: Float
    let logSum: Float

    init(counts: [Float], sum: Float) {
        self.counts = counts
        self.sum = sum
        logSum = Float(log(Double(sum)))
    }

    func loss(of piece: Int, replacedBy path: ArraySlice<Int32>) -> Float {
        let count = counts[piece]
        let logProbability = Float(log(Double(count)) - Double(logSum))
        let logSumWithout = Float(log(Double(sum + count * Float(path.count - 1))))
        var logProbabilityOfPath: Float = 0
        for other in path {
            let logOther = log(Double(counts[Int(other)] + count))
            logProbabilityOfPath = Float(Double(logProbabilityOfPath) + (logOther - Double(logSumWithout)))
        }
        return count / sum * (logProbability - logProbabilityOfPath)
    }
}
