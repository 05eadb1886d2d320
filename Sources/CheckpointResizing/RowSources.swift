import Checkpoints
import Partitioning
import Safetensors

/// What new rows are made from, each thing computed when first asked for and then kept.
final class RowSources {
    private let pair: TokenizerPair?
    /// The new entries.
    private let ids: Range<Int>
    private let texts: [String]
    private let threads: Int

    private var neighbours: PieceNeighbours?
    private var statistics: [String: RowStatistics] = [:]
    private var factors: [String: FloatPanels] = [:]
    private lazy var subwords = ids.map { pair?.subwords(of: $0).map { Int32($0) } ?? [] }

    init(_ pair: TokenizerPair?, ids: Range<Int>, texts: [String], threads: Int) {
        self.pair = pair
        self.ids = ids
        self.texts = texts
        self.threads = threads
    }

    /// The rows that are appended to a matrix.
    ///
    /// - Throws: `ResizingError.notFinite`, and what reading texts throws.
    func rows(_ old: OldRows, _ side: MatrixSide, _ starts: RowStarts) throws -> NewRows {
        let statistics = try statistics(of: old)
        return NewRows(
            old: old, start: try start(old, side, starts), norm: starts.norm == .match ? statistics.meanNorm : nil)
    }

    private func start(_ old: OldRows, _ side: MatrixSide, _ starts: RowStarts) throws -> any RowStart {
        let statistics = try statistics(of: old)
        func normal(_ groups: [RowStatistics], of rows: [Int]) -> NormalRows {
            NormalRows(
                groups: groups, groupOfRow: rows, firstID: ids.lowerBound, spread: starts.spread, seed: starts.seed)
        }
        switch side == .head ? starts.head : starts.input {
        case .zero: return RepeatedRow(row: [Double](repeating: 0, count: old.width))
        case .mean: return RepeatedRow(row: statistics.mean)
        case .normal: return normal([statistics], of: [Int](repeating: 0, count: ids.count))
        case .covariance:
            return CovarianceRows(
                mean: statistics.mean, factor: factor(of: old, around: statistics.mean), spread: starts.spread,
                seed: starts.seed)
        case .subwordMean: return mixed(old, statistics, equally(subwords))
        case .subwordFirstLast: return mixed(old, statistics, equally(firstAndLast(side)))
        case .script:
            let (groups, groupOfRow) = scriptGroups(old)
            return normal([statistics] + groups, of: groupOfRow)
        case .neighbours: return mixed(old, statistics, try neighbourMixtures())
        }
    }

    private func statistics(of old: OldRows) throws -> RowStatistics {
        let found = statistics[old.matrix.name] ?? RowStatistics(old, threads: threads)
        guard found.isFinite else { throw ResizingError.notFinite(path: old.file.path, tensor: old.matrix.name) }
        statistics[old.matrix.name] = found
        return found
    }

    private func factor(of old: OldRows, around mean: [Double]) -> FloatPanels {
        if let found = factors[old.matrix.name] { return found }
        var matrix = SymmetricMatrix(covarianceOf: old, mean: mean, threads: threads)
        matrix.factorize(threads: threads)
        let factor = matrix.panels()
        factors[old.matrix.name] = factor
        return factor
    }

    private func mixed(_ old: OldRows, _ statistics: RowStatistics, _ mixtures: RowMixtures) -> MixedRows {
        MixedRows(old: old, mixtures: mixtures, firstID: ids.lowerBound, fallback: statistics.mean)
    }

    private func equally(_ sources: [[Int32]]) -> RowMixtures {
        var mixtures = RowMixtures()
        for ids in sources { mixtures.append(ids.lazy.map { ($0, 1) }) }
        return mixtures
    }

    private func firstAndLast(_ side: MatrixSide) -> [[Int32]] {
        subwords.map { pieces in
            switch side {
            case .input: Array(pieces.suffix(1))
            case .head: Array(pieces.prefix(1))
            case .both: Array(pieces.prefix(1) + pieces.suffix(1))
            }
        }
    }

    /// The statistics of each script's rows, and for each new row 0 or, by its script, the place there plus 1.
    private func scriptGroups(_ old: OldRows) -> (groups: [RowStatistics], groupOfRow: [Int]) {
        guard let scripts = pair.map(PieceScripts.init) else { return ([], [Int](repeating: 0, count: ids.count)) }
        let groups = scripts.groups.map { RowStatistics(old, ids: $0, threads: threads) }
        return (groups, ids.map { scripts.group(of: $0).map { $0 + 1 } ?? 0 })
    }

    /// The neighbours of each new entry; where it has none, the pieces that it is made of.
    private func neighbourMixtures() throws -> RowMixtures {
        guard let pair else { return equally(subwords) }
        let found = try neighbours ?? PieceNeighbours(pair, texts: texts, threads: threads)
        neighbours = found
        var mixtures = RowMixtures()
        for (id, pieces) in zip(ids, subwords) {
            mixtures.append(found.neighbours[Int32(id)] ?? pieces.map { ($0, 1) })
        }
        return mixtures
    }
}

/// What the rows of a matrix are for.
enum MatrixSide {
    case input, head
    /// Both: input and head are tied.
    case both
}
