import FileIO

// Layout, little-endian: Int32 ids of all documents, each with its begin and end pieces, padded to 8 bytes;
// Int64 index of each document's first id, and one more for the end; then the footer: a magic, the fields of `Counts`
// as Int64, and the SHA-256 of all bytes before it.

/// Text as ids in a mapped file: every document between its begin and end pieces.
package final class TokenCache: Sendable {
    package let path: String
    /// What the ids were made from.
    package let counts: Counts
    private let file: MappedFile
    private let startsOffset: Int

    /// What a cache holds, for the accounts.
    package struct Counts: Sendable, Equatable {
        package var documents = 0
        /// Lines without text, which are left out.
        package var blankLines = 0
        /// Bytes of the documents, line ends not counted.
        package var textBytes = 0
        /// All ids, begin and end pieces included.
        package var tokens = 0
        /// Begin pieces: 0, or one for each document.
        package var beginTokens = 0
        /// Lines with bytes that were not UTF-8 and became U+FFFD.
        package var repairedLines = 0
        /// NUL bytes that were dropped.
        package var nulBytes = 0

        static let fields: [any WritableKeyPath<Counts, Int> & Sendable] = [
            \.documents, \.blankLines, \.textBytes, \.tokens, \.beginTokens, \.repairedLines, \.nulBytes,
        ]

        /// Ids that are predicted: all but the begin pieces, or else all but each document's first.
        package var targets: Int { tokens - documents }
    }

    static let magic = Array("KUOCITK2".utf8)
    static let footerSize = magic.count + Counts.fields.count * 8 + 32

    package init(_ path: String) throws {
        let file = try MappedFile(path)
        self.file = file
        self.path = path
        func damaged(_ reason: String) -> TrainingDataError { .damagedCache(path: path, reason: reason) }
        var counts = Counts()
        let digest = try file.withUnsafeBytes { bytes in
            guard bytes.count >= Self.footerSize else { throw damaged("\(bytes.count) bytes are too few") }
            let footer = UnsafeRawBufferPointer(rebasing: bytes.suffix(Self.footerSize))
            guard footer.starts(with: Self.magic) else { throw damaged("its footer is missing") }
            for (index, field) in Counts.fields.enumerated() {
                let offset = Self.magic.count + index * 8
                counts[keyPath: field] = Int(
                    Int64(littleEndian: footer.loadUnaligned(fromByteOffset: offset, as: Int64.self)))
            }
            return Array(footer.suffix(32))
        }
        self.counts = counts
        let limit = file.count
        guard counts.tokens >= 0, counts.tokens <= limit / 4, counts.documents >= 0, counts.documents <= limit / 8
        else { throw damaged("its counts do not fit its size") }
        startsOffset = (counts.tokens * 4 + 7) / 8 * 8
        guard startsOffset + (counts.documents + 1) * 8 + Self.footerSize == limit else {
            throw damaged("\(limit) bytes do not match its counts")
        }
        guard SHA256.digest(of: file, first: limit - 32) == digest else { throw damaged("its SHA-256 is another") }
        try checkStarts()
    }

    private func checkStarts() throws {
        var previous = start(ofDocument: 0)
        guard previous == 0 else { throw TrainingDataError.damagedCache(path: path, reason: "its first document") }
        for document in 0..<counts.documents {
            let next = start(ofDocument: document + 1)
            guard next >= previous + 2, next <= counts.tokens else {
                throw TrainingDataError.damagedCache(path: path, reason: "document \(document) ends at id \(next)")
            }
            previous = next
        }
        guard previous == counts.tokens else {
            throw TrainingDataError.damagedCache(path: path, reason: "its last document ends at id \(previous)")
        }
    }

    /// Index of the first id of a document, 0 to `documents`; the last is the number of ids.
    package func start(ofDocument document: Int) -> Int {
        precondition((0...counts.documents).contains(document), "no such document")
        return file.withUnsafeBytes { bytes in
            // In range: init checked the file's size against the counts.
            Int(Int64(littleEndian: bytes.load(fromByteOffset: startsOffset + document * 8, as: Int64.self)))
        }
    }

    /// All ids; valid while `self` lives.
    package func withTokens<R>(_ body: (UnsafeBufferPointer<Int32>) throws -> R) rethrows -> R {
        try file.withUnsafeBytes { bytes in
            // A mapping starts at a page, and init checked that this many ids are there.
            try body(
                UnsafeBufferPointer(start: bytes.baseAddress?.assumingMemoryBound(to: Int32.self), count: counts.tokens)
            )
        }
    }
}
