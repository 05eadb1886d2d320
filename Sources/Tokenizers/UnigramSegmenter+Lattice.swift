extension UnigramSegmenter {
    /// The lattice of the scratch's text, which is split into characters for it.
    func lattice(_ scratch: EncodingScratch) -> Lattice {
        characters.split(scratch, userDefined: nil)
        let symbols = scratch.symbols.elements
        var nodes: [Lattice.Node] = []
        trie.withView { trie in
            for start in 0..<symbols.count {
                func add(_ id: Int32, _ end: Int, _ score: Float) {
                    nodes.append(Lattice.Node(id: id, start: Int32(start), end: Int32(end), score: score))
                }
                let symbol = symbols[start]
                let isPiece = isSinglePiece(symbol)
                if isPiece { add(symbol, start + 1, latticeScore(symbol, length: 1)) }
                var node = symbol
                var end = start + 1
                while end < symbols.count, let step = trie.step(from: node, by: symbols[end]) {
                    end += 1
                    node = step.node
                    if step.piece >= 0 { add(step.piece, end, latticeScore(step.piece, length: end - start)) }
                }
                if !isPiece { add(-1, start + 1, unknownScore) }
            }
        }
        return Lattice(length: symbols.count, pieces: nodes)
    }

    /// Makes a path of the lattice the scratch's pieces.
    func take(_ path: [Lattice.Node], _ scratch: EncodingScratch) {
        (scratch.ids.count, scratch.ends.count, scratch.hasUnknown) = (0, 0, false)
        for node in path {
            scratch.appendPiece(node.id < 0 ? unknownID : node.id, end: scratch.starts.base[Int(node.end)])
            if node.id < 0 { scratch.hasUnknown = true }
        }
    }
}
