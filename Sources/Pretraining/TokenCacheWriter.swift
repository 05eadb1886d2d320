package import Corpora
import FileIO
import Partitioning

/// Writes a token cache, document by document; dropped without `commit()`, it leaves nothing behind.
package struct TokenCacheWriter: ~Copyable {
    private let tokenizer: TrainingTokenizer
    private let threads: Int
    private var file: OutputFile
    private let hash = SHA256()
    private var counts = TokenCache.Counts()
    private var starts: [Int64] = [0]
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0

    /// Text that is tokenized at once: enough to keep many cores busy, little beside the model.
    private static let batchBytes = 8 << 20
    /// Documents in one core's turn.
    private static let documentsInTurn = 64

    package init(_ path: String, tokenizer: TrainingTokenizer, threads: Int) throws {
        self.tokenizer = tokenizer
        self.threads = threads
        file = try OutputFile(path)
    }

    /// Bytes of text taken so far.
    package var textBytes: Int { counts.textBytes }

    /// - Parameter document: not empty.
    package mutating func append(_ document: [UInt8]) throws {
        counts.documents += 1
        counts.textBytes += document.count
        waiting.append(document)
        waitingBytes += document.count
        if waitingBytes >= Self.batchBytes { try tokenizeWaiting() }
    }

    private mutating func tokenizeWaiting() throws {
        let documents = waiting
        let tokenizer = tokenizer
        let turns = (documents.count + Self.documentsInTurn - 1) / Self.documentsInTurn
        let encoded = try concurrentMap(count: turns, threads: threads) { turn in
            let range = turn * Self.documentsInTurn..<min(documents.count, (turn + 1) * Self.documentsInTurn)
            return try documents[range].map { try tokenizer.encode($0) }
        }
        for ids in encoded.joined() { try write(ids) }
        waiting.removeAll(keepingCapacity: true)
        waitingBytes = 0
    }

    private mutating func write(_ ids: [Int32]) throws {
        var framed: [Int32] = []
        framed.reserveCapacity(ids.count + 2)
        if let begin = tokenizer.beginID {
            framed.append(begin)
            counts.beginTokens += 1
        }
        framed += ids
        framed.append(tokenizer.endID)
        // Text that gives no ids and no begin piece would leave nothing to predict the end from.
        if framed.count < 2 { framed.insert(tokenizer.endID, at: 0) }
        counts.tokens += framed.count
        starts.append(Int64(counts.tokens))
        for index in framed.indices { framed[index] = framed[index].littleEndian }
        try framed.withUnsafeBytes { try write($0) }
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bytes)
        try file.write(bytes)
    }

    private mutating func writeInteger(_ value: some FixedWidthInteger) throws {
        try withUnsafeBytes(of: value.littleEndian) { try write($0) }
    }

    /// Finishes the file and gives it its name.
    ///
    /// - Parameter met: what reading the text met besides documents.
    @discardableResult
    package consuming func commit(_ met: DocumentCounts = DocumentCounts()) throws -> TokenCache.Counts {
        try tokenizeWaiting()
        counts.blankLines = met.blankLines
        counts.repairedLines = met.repairedLines
        counts.nulBytes = met.nulBytes
        if counts.tokens % 2 == 1 { try writeInteger(Int32(0)) }
        for start in starts { try writeInteger(start) }
        try TokenCache.magic.withUnsafeBytes { try write($0) }
        for field in TokenCache.Counts.fields { try writeInteger(Int64(counts[keyPath: field])) }
        let counts = counts
        try file.write(hash.digest())
        try file.commit()
        return counts
    }
}
