import HeapModule
import OrderedJSON
import UnicodeText

/// A BPE model whose merges are ranked: the best pair of a word is that of the lowest rank, leftmost among equals.
struct RankedMerges: Sendable {
    /// For a pair of ids, left << 32 | right: rank << 32 | what they make.
    private var made: [UInt64: UInt64] = [:]
    let unknownID: Int32?
    private let fusesUnknown: Bool
    let fallsBackToBytes: Bool
    private let ignoresMerges: Bool
    /// The merges in the order of their ranks, for conversion.
    private(set) var list: [Merge] = []

    struct Merge: Sendable {
        var left: Int32
        var right: Int32
        var result: Int32
    }

    init(_ settings: FileNode, _ vocabulary: TokenTable) throws(TokenizerFormatError) {
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let node = settings[key], try !node.bytes().isEmpty { throw node.unsupported("a mark inside words") }
        }
        if let dropout = settings["dropout"], dropout.json.double != 0 {
            throw dropout.unsupported("dropout, by which encoding is left to chance")
        }
        fusesUnknown = try settings.flag("fuse_unk", default: false)
        fallsBackToBytes = try settings.flag("byte_fallback", default: false)
        ignoresMerges = try settings.flag("ignore_merges", default: false)
        if let node = settings["unk_token"] {
            guard let id = vocabulary.id(of: try node.bytes()) else {
                throw node.failure("(\(shown(try node.bytes()))) is no token of model.vocab")
            }
            unknownID = id
        } else {
            unknownID = nil
        }
        try readMerges(settings.member("merges"), vocabulary)
    }

    private mutating func readMerges(_ node: FileNode, _ vocabulary: TokenTable) throws(TokenizerFormatError) {
        guard let elements = node.json.array else { throw node.failure("is no array") }
        list.reserveCapacity(elements.count)
        for (rank, element) in elements.enumerated() {
            func fail(_ reason: String) -> TokenizerFormatError {
                FileNode(path: node.path, place: "\(node.place)[\(rank)]", json: .null).failure(reason)
            }
            guard let (left, right) = halves(of: element) else {
                throw fail("is neither \"left right\" nor [\"left\", \"right\"]")
            }
            guard let leftID = vocabulary.id(of: left), let rightID = vocabulary.id(of: right) else {
                let missing = vocabulary.id(of: left) == nil ? left : right
                throw fail("joins \(shown(missing)), which is no token of model.vocab")
            }
            guard let result = vocabulary.id(of: left + right) else {
                throw fail("makes \(shown(left + right)), which is no token of model.vocab")
            }
            list.append(Merge(left: leftID, right: rightID, result: result))
            // A pair that is there twice has its last rank, as in `tokenizers`.
            made[pair(leftID, rightID)] = UInt64(rank) << 32 | UInt64(result)
        }
    }

    private func halves(of element: ExactJSON) -> (left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)? {
        if let text = element.bytes {
            let parts = text.split(separator: 0x20, omittingEmptySubsequences: false)
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        guard let parts = element.array, parts.count == 2, let left = parts[0].bytes, let right = parts[1].bytes else {
            return nil
        }
        return (left[...], right[...])
    }

    private func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private struct Symbol {
        var id: Int32
        /// False once it is merged into its left neighbour.
        var isAlive = true
        var previous: Int
        var next: Int
    }

    private struct Proposal: Comparable {
        /// rank << 32 | position
        var key: UInt64
        var result: Int32

        static func < (left: Proposal, right: Proposal) -> Bool { left.key < right.key }
    }

    /// Appends the ids of a word.
    func encode(_ word: [UInt8], _ vocabulary: TokenTable, _ ids: inout [Int32]) {
        if ignoresMerges, let id = vocabulary.id(of: word) {
            ids.append(id)
            return
        }
        var symbols = characters(of: word, vocabulary)
        var agenda = Heap<Proposal>()
        for index in symbols.indices { propose(index, symbols, &agenda) }
        while let best = agenda.popMin() {
            let left = Int(best.key & 0xFFFF_FFFF)
            let right = symbols[left].next
            // Still the pair that was proposed?
            guard symbols[left].isAlive, right < symbols.count,
                let now = made[pair(symbols[left].id, symbols[right].id)],
                Int32(truncatingIfNeeded: now) == best.result
            else { continue }
            symbols[left].id = best.result
            symbols[left].next = symbols[right].next
            symbols[right].isAlive = false
            if symbols[right].next < symbols.count { symbols[symbols[right].next].previous = left }
            if symbols[left].previous >= 0 { propose(symbols[left].previous, symbols, &agenda) }
            propose(left, symbols, &agenda)
        }
        for symbol in symbols where symbol.isAlive { ids.append(symbol.id) }
    }

    private func propose(_ left: Int, _ symbols: [Symbol], _ agenda: inout Heap<Proposal>) {
        let right = symbols[left].next
        guard right < symbols.count, let found = made[pair(symbols[left].id, symbols[right].id)] else { return }
        agenda.insert(
            Proposal(key: (found & ~0xFFFF_FFFF) | UInt64(left), result: Int32(truncatingIfNeeded: found & 0xFFFF_FFFF))
        )
    }

    /// The word's characters as tokens, bytes of characters without one, or the unknown token.
    private func characters(of word: [UInt8], _ vocabulary: TokenTable) -> [Symbol] {
        var symbols: [Symbol] = []
        func add(_ id: Int32) {
            symbols.append(Symbol(id: id, previous: symbols.count - 1, next: symbols.count + 1))
        }
        var holdsUnknown = false
        var start = 0
        while start < word.count {
            let character = word[start..<min(start + UTF8Scalars.announcedLength(word[start]), word.count)]
            start = character.endIndex
            if let id = vocabulary.id(of: character) {
                if holdsUnknown, let unknownID { add(unknownID) }
                holdsUnknown = false
                add(id)
            } else if fallsBackToBytes, character.allSatisfy({ vocabulary.byteIDs[Int($0)] != nil }) {
                // An unknown run before these bytes comes after them: so does `tokenizers`.
                for byte in character { vocabulary.byteIDs[Int(byte)].map(add) }
            } else if let unknownID {
                if holdsUnknown, !fusesUnknown { add(unknownID) }
                holdsUnknown = true
            }
        }
        if holdsUnknown, let unknownID { add(unknownID) }
        return symbols
    }
}
