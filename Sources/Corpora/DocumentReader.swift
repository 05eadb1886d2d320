public import FileIO
import OrderedJSON
import UnicodeText

/// How a text file is divided into documents.
public enum DocumentFormat: String, Sendable, CaseIterable {
    /// Each line is a document.
    case lines
    /// Blank lines stand between documents.
    case paragraphs
    /// Each line is a JSON object whose `text` is the document.
    case jsonLines

    /// By the file's name, `.gz` and `.zst` left aside: `.jsonl` holds JSON, everything else lines.
    public init(path: String) {
        let name = [".gz", ".zst"].first { path.hasSuffix($0) }.map { path.dropLast($0.count) } ?? path[...]
        self = name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") ? .jsonLines : .lines
    }
}

/// What a reader met besides documents.
public struct DocumentCounts: Sendable, Equatable {
    public var documents = 0
    /// Also lines of JSON whose text is empty.
    public var blankLines = 0
    /// Lines with bytes that are not UTF-8, each such sequence replaced by U+FFFD.
    public var repairedLines = 0
    /// NUL bytes, which are dropped.
    public var nulBytes = 0

    public init(documents: Int = 0, blankLines: Int = 0, repairedLines: Int = 0, nulBytes: Int = 0) {
        self.documents = documents
        self.blankLines = blankLines
        self.repairedLines = repairedLines
        self.nulBytes = nulBytes
    }
}

/// Reads the documents of a .txt or .jsonl file, plain or packed by gzip or zstd, in order.
///
/// A document is never empty and always well-formed UTF-8. A byte order mark at the file's start is dropped, CR LF
/// ends a line as LF does, and CR elsewhere inside a document becomes LF. A text that is UTF-16 or GB18030 is refused.
public struct DocumentReader: ~Copyable {
    public private(set) var counts = DocumentCounts()
    private let format: DocumentFormat
    private var lines: LineReader

    /// Bytes of a document that is surely a mistake: 64 MiB.
    public static let longestDocument = 64 << 20

    /// - Parameter format: nil for what the name says.
    public init(_ path: String, format: DocumentFormat? = nil) throws(FileError) {
        self.format = format ?? DocumentFormat(path: path)
        lines = try LineReader(path, longestLine: Self.longestDocument)
    }

    /// The next document's UTF-8, or nil at the end.
    public mutating func next() throws -> [UInt8]? {
        while let document = try nextOfFormat() {
            if !document.isEmpty {
                counts.documents += 1
                return document
            }
            // A JSON line may hold an empty text, which is no document.
            counts.blankLines += 1
        }
        return nil
    }

    private mutating func nextOfFormat() throws -> [UInt8]? {
        switch format {
        case .lines: try nextLineWithText()
        case .jsonLines:
            if let line = try nextLineWithText() {
                try parseJSONLine(line, path: lines.path, number: lines.lineNumber)
            } else {
                nil
            }
        case .paragraphs: try nextParagraph()
        }
    }

    private mutating func nextLineWithText() throws -> [UInt8]? {
        while let line = try nextLine() {
            if !isBlank(line) { return line }
            counts.blankLines += 1
        }
        return nil
    }

    private mutating func nextParagraph() throws -> [UInt8]? {
        guard var paragraph = try nextLineWithText() else { return nil }
        while let line = try nextLine() {
            if isBlank(line) {
                counts.blankLines += 1
                break
            }
            paragraph.append(0x0A)
            paragraph += line
            if paragraph.count > Self.longestDocument { throw tooLongError(lines.path, lines.lineNumber) }
        }
        return paragraph
    }

    /// The next line as well-formed UTF-8 without its line end.
    private mutating func nextLine() throws -> [UInt8]? {
        let path = lines.path
        let number = lines.lineNumber + 1
        var counts = self.counts
        let line = try lines.withNextLine { raw -> [UInt8] in
            if raw.count > Self.longestDocument { throw tooLongError(path, number) }
            if number == 1, let encoding = ForeignEncoding(startingWith: raw) {
                throw CorpusError.foreignEncoding(path: path, line: 1, encoding: encoding.rawValue)
            }
            return try cleanLine(raw, path: path, number: number, &counts)
        }
        self.counts = counts
        return line
    }
}

private func tooLongError(_ path: String, _ line: Int) -> CorpusError {
    .documentTooLong(path: path, line: line, limit: DocumentReader.longestDocument)
}

private func parseJSONLine(_ line: [UInt8], path: String, number: Int) throws(CorpusError) -> [UInt8] {
    func failure(_ reason: String) -> CorpusError {
        .notJSON(path: path, line: number, reason: reason)
    }
    let value: JSONValue
    do { value = try JSONValue(parsing: line) } catch { throw failure("\(error)") }
    guard let member = value["text"] else { throw failure("it has no \"text\"") }
    guard let text = member.string else { throw failure("its \"text\" is no string") }
    return Array(text.utf8)
}

private func isBlank(_ line: [UInt8]) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }
}

private func cleanLine(
    _ raw: UnsafeRawBufferPointer, path: String, number: Int, _ counts: inout DocumentCounts
) throws(CorpusError) -> [UInt8] {
    var bytes = raw[...]
    if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    if bytes.last == 0x0D { bytes = bytes.dropLast() }
    let text = UnsafeRawBufferPointer(rebasing: bytes)
    var line: [UInt8]
    if firstInvalidUTF8(in: text) == nil {
        line = Array(text)
    } else if ForeignEncoding.isPlausibleGB18030(text) {
        throw .foreignEncoding(path: path, line: number, encoding: ForeignEncoding.gb18030.rawValue)
    } else {
        line = Array(String(decoding: text, as: UTF8.self).utf8)
        counts.repairedLines += 1
    }
    let before = line.count
    if line.contains(0) { line.removeAll { $0 == 0 } }
    counts.nulBytes += before - line.count
    if line.contains(0x0D) { line = line.map { $0 == 0x0D ? 0x0A : $0 } }
    return line
}

/// Calls `body` with the UTF-8 of each document of a file and returns what was met.
@discardableResult
public func forEachDocument(
    of path: String, format: DocumentFormat? = nil, _ body: ([UInt8]) throws -> Void
) throws -> DocumentCounts {
    var reader = try DocumentReader(path, format: format)
    while let document = try reader.next() { try body(document) }
    return reader.counts
}
