import PieceModel
import Synchronization
import Tokenizers

/// How often each piece is in the ids of texts.
struct PieceUse {
    private(set) var counts: [Int]

    /// - Throws: `FileError`, `MergeError.noText`.
    init(of tokenizer: Tokenizer, onLinesOf paths: [String]) throws {
        let total = Mutex([Int](repeating: 0, count: tokenizer.count))
        try forEachLineBatch(of: paths) { (batch: LineBatch<[Int32]>) in
            var ids: [Int32] = []
            batch.forEachLine { line in
                for id in tokenizer.encode(utf8: line) { ids.append(id.rawValue) }
            }
            return ids
        } taking: { ids, _ in
            total.withLock { total in
                for id in ids { total[Int(id)] += 1 }
            }
        }
        counts = total.withLock { $0 }
        // Of use on nothing all pieces look the same: nothing could be chosen by it.
        if !counts.contains(where: { $0 > 0 }) { throw MergeError.noText(paths: paths) }
    }
}
