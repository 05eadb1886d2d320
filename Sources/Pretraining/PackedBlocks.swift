/// Documents joined end to end and cut into blocks of equal size.
///
/// A document of ids b t1 ... tn e (begin, text, end) takes n + 1 places: their inputs are b t1 ... tn and their
/// targets t1 ... tn e. So every id but the first is predicted exactly once, the last target of a document is its
/// end piece, and no place is spent on predicting what follows an end. A document that does not fit goes on in the
/// next block, where its positions start from 0 again. The last block is filled up with places without a target.
///
/// Where documents are to see one another, as training scripts of the first LLaMA models had it, the ids of all are one
/// sequence, begin pieces included, cut into blocks; positions run on through a block, each id is the target of the one
/// before it in the block, and the first of a block is predicted by nothing.
package struct PackedBlocks: Sendable {
    package let cache: TokenCache
    package let blockSize: Int
    package let attendsAcrossDocuments: Bool
    package let blockCount: Int
    /// Filled-up places in the last block.
    package let paddingCount: Int
    /// Ids that the blocks predict.
    package let targetCount: Int
    /// Places that hold an id.
    private let placeCount: Int
    private let padding: Int32
    private let rows: Int

    /// - Parameters:
    ///   - blockSize: at least 2 where documents see one another: the first id of a block is no target.
    ///   - padding: the id of filled-up inputs; nothing attends to them.
    ///   - rows: the model's vocabulary; an id beyond it is refused.
    package init(
        _ cache: TokenCache, blockSize: Int, attendsAcrossDocuments: Bool = false, padding: Int32, rows: Int
    ) {
        precondition(blockSize > (attendsAcrossDocuments ? 1 : 0), "a block needs places")
        self.cache = cache
        self.blockSize = blockSize
        self.attendsAcrossDocuments = attendsAcrossDocuments
        self.padding = padding
        self.rows = rows
        let counts = cache.counts
        if attendsAcrossDocuments {
            // A last id alone in its block would predict nothing there and is left over.
            blockCount = counts.tokens < 2 ? 0 : (counts.tokens - 2) / blockSize + 1
            placeCount = min(counts.tokens, blockCount * blockSize)
            targetCount = placeCount - blockCount
        } else {
            blockCount = (counts.targets + blockSize - 1) / blockSize
            placeCount = counts.targets
            targetCount = counts.targets
        }
        paddingCount = blockCount * blockSize - placeCount
    }

    /// Ids that a block predicts, at least 1.
    package func targetCount(ofBlock block: Int) -> Int {
        min(blockSize, placeCount - block * blockSize) - (attendsAcrossDocuments ? 1 : 0)
    }

    /// A row of a batch: `blockSize` entries each.
    package struct Row: Sendable, Equatable {
        package var tokens: [Int32] = []
        /// -1: nothing is predicted here.
        package var targets: [Int32] = []
        /// From 0 in each document, and again where one goes on from the block before.
        package var positions: [Int32] = []
        /// Number of the document within the block; padding has one of its own.
        package var documents: [Int32] = []
    }

    /// - Throws: `TrainingDataError.damagedCache` for an id that the model has no row for.
    package func row(_ block: Int) throws -> Row {
        precondition((0..<blockCount).contains(block), "no such block")
        var row = Row()
        let places = block * blockSize..<min((block + 1) * blockSize, placeCount)
        if attendsAcrossDocuments {
            try appendSequence(places, to: &row)
        } else {
            try appendDocuments(places, to: &row)
        }
        fillUp(&row)
        return row
    }

    /// The cache's documents that a block holds ids of.
    package func documents(inBlock block: Int) -> Range<Int> {
        let end = min((block + 1) * blockSize, placeCount)
        return document(atPlace: block * blockSize)..<document(atPlace: end - 1) + 1
    }

    private func appendDocuments(_ places: Range<Int>, to row: inout Row) throws {
        var place = places.lowerBound
        var document = self.document(atPlace: place)
        try cache.withTokens { ids in
            while place < places.upperBound {
                let first = cache.start(ofDocument: document)
                let offset = place - (first - document)
                let left = cache.start(ofDocument: document + 1) - first - 1 - offset
                let length = min(left, places.upperBound - place)
                try append(ids[(first + offset)..<(first + offset + length + 1)], to: &row)
                place += length
                document += 1
            }
        }
    }

    private func appendSequence(_ places: Range<Int>, to row: inout Row) throws {
        try cache.withTokens { ids in
            try append(ids[places], to: &row)
            // The last id predicts nothing in this block, but is looked at like the others.
            row.tokens.append(ids[places.upperBound - 1])
            row.targets.append(-1)
            row.positions.append(Int32(places.count - 1))
            row.documents.append(0)
        }
    }

    /// The document that holds a place: the last one that starts at or before it.
    private func document(atPlace place: Int) -> Int {
        var low = 0
        var high = cache.counts.documents
        while high - low > 1 {
            let middle = (low + high) / 2
            // Apart from one another, each document before has one place less than ids.
            let start = cache.start(ofDocument: middle) - (attendsAcrossDocuments ? 0 : middle)
            if start <= place { low = middle } else { high = middle }
        }
        return low
    }

    private func append(_ ids: Slice<UnsafeBufferPointer<Int32>>, to row: inout Row) throws {
        for id in ids where id < 0 || id >= rows {
            throw TrainingDataError.damagedCache(path: cache.path, reason: "id \(id) where the model has \(rows) rows")
        }
        let number = (row.documents.last ?? -1) + 1
        let length = ids.count - 1
        row.tokens += ids.prefix(length)
        row.targets += ids.suffix(length)
        row.positions += (0..<Int32(length))
        row.documents += repeatElement(number, count: length)
    }

    private func fillUp(_ row: inout Row) {
        let missing = blockSize - row.tokens.count
        if missing == 0 { return }
        let number = (row.documents.last ?? -1) + 1
        row.tokens += repeatElement(padding, count: missing)
        row.targets += repeatElement(-1, count: missing)
        row.positions += (0..<Int32(missing))
        row.documents += repeatElement(number, count: missing)
    }
}
