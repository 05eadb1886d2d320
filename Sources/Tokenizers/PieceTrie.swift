import PieceModel

/// The pieces of a vocabulary by their characters: a trie whose edges lie in one hash table.
///
/// A node is a beginning of pieces. That of one character has the character's number; longer ones are numbered beyond.
struct PieceTrie: Sendable {
    private let steps: SymbolPairTable<Step>

    struct Step: BitwiseCopyable, Sendable {
        var node: Int32
        /// The piece that ends here, unless it is unused; negative: none.
        var piece: Int32
    }

    /// The trie, and the filter of all characters that stand side by side in a piece.
    static func make(_ pieces: SegmentablePieces, _ characters: CharacterNumbers) -> (PieceTrie, PairFilter) {
        var seen = SymbolPairTable(placeholder: UInt8(0))
        let filter = characters.pairFilter(pieces, hash: PairFilter.hash) { seen.insert($0, $1).isNew }
        return (PieceTrie(pieces, characters), filter)
    }

    private init(_ pieces: SegmentablePieces, _ characters: CharacterNumbers) {
        var steps = SymbolPairTable(placeholder: Step(node: -1, piece: -1))
        var next = Int32(pieces.vocabulary.count + characters.extraCount)
        pieces.forEach { id, bytes in
            var last: (node: Int32, character: Int32)?
            var node: Int32 = -1
            characters.forEach(in: bytes) { character in
                guard node >= 0 else { return node = character }
                var step = steps[node, character]
                if step.node < 0 {
                    step.node = next
                    next += 1
                    steps[node, character] = step
                }
                last = (node, character)
                node = step.node
            }
            if let last, pieces.vocabulary.types[Int(id)] != .unused { steps[last.node, last.character].piece = id }
        }
        self.steps = steps
    }

    /// The trie's memory, for loops.
    struct View {
        fileprivate let steps: SymbolPairTable<Step>.View

        /// The step from a node by a character; nil if no piece goes on like that.
        @inline(__always)
        func step(from node: Int32, by character: Int32) -> Step? {
            steps.find(node, character)
        }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        steps.withView { body(View(steps: $0)) }
    }
}
