import SeededRandom

extension BPESegmenter {
    /// How deep unused pieces are taken apart, as in sentencepiece.
    private static let deepestSplit = 100

    /// Finds the pieces of the scratch's text, skipping each merge with a probability.
    func sample(_ scratch: EncodingScratch, dropout: Double, using generator: inout some RandomNumberGenerator) {
        characters.split(scratch, userDefined: userDefined)
        segmentAsWhole(scratch) {
            dropout >= 1 || dropout > 0 && generator.unit() < dropout
        }
    }

    /// Merges the whole text as one: needed where merges are skipped at random, and where there are unused pieces,
    /// which are taken apart the way the latest of their kind anywhere in the text was put together.
    ///
    /// - Parameter isSkipped: says of each merge that is due whether to pass over it.
    func segmentAsWhole(_ scratch: EncodingScratch, isSkipped: () -> Bool = { false }) {
        let count = scratch.symbols.count
        var origins: [Int32: Origin] = [:]
        var list = SymbolList(symbols: scratch.symbols.base, starts: scratch.starts.base, count: count)
        table.withView { view in
            var agenda = MergeAgenda()
            func propose(_ left: Int, _ right: Int, _ merge: UInt64) {
                agenda.push(merge, left: left, end: list.end(of: right))
                let symbol = Int32(truncatingIfNeeded: merge)
                if merge != MergeTable.none, isUnused(symbol) {
                    origins[symbol] = Origin(
                        left: list.number(left), right: list.number(right),
                        leftLength: list.end(of: left) - list.start(of: left))
                }
            }
            for left in 0..<max(count - 1, 0) {
                propose(left, left + 1, view.ofCharacters(list.number(left), list.number(left + 1)))
            }
            while let entry = agenda.pop() {
                if !list.isCurrent(entry) || isSkipped() { continue }
                guard let merged = list.merge(entry) else { continue }
                if let previous = merged.previous {
                    propose(previous, merged.index, view.of(list.number(previous), withPiece: entry.symbol))
                }
                if let next = merged.next {
                    propose(merged.index, next, view.of(piece: entry.symbol, with: list.number(next)))
                }
            }
        }
        var output = PieceOutput(scratch, count: count, pieceCount: pieceCount, unknownID: unknownID)
        var index: Int? = count == 0 ? nil : 0
        while let current = index {
            emit(list.number(current), list.start(of: current), list.end(of: current), depth: 0, origins, &output)
            index = list.next(current)
        }
        output.commit(to: scratch)
    }

    /// What an unused piece was merged from, and the bytes of the left part.
    private struct Origin {
        var left: Int32
        var right: Int32
        var leftLength: Int32
    }

    private func isUnused(_ symbol: Int32) -> Bool {
        symbol >= 0 && symbol < isUnused.count && isUnused[Int(symbol)]
    }

    /// Hands a symbol on, an unused piece as what it was merged from.
    private func emit(
        _ symbol: Int32, _ start: Int32, _ end: Int32, depth: Int, _ origins: [Int32: Origin],
        _ output: inout PieceOutput
    ) {
        guard isUnused(symbol), depth <= Self.deepestSplit else { return output.append(symbol, end: end) }
        guard let origin = origins[symbol] else { return output.append(-1, end: end) }
        let cut = start + origin.leftLength
        emit(origin.left, start, cut, depth: depth + 1, origins, &output)
        emit(origin.right, cut, end, depth: depth + 1, origins, &output)
    }
}
