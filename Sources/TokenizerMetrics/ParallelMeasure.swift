public import FileIO
import Partitioning
public import Tokenizers

/// What tokenizers make of texts in several languages whose lines say the same.
///
/// Lines that are empty in one of the languages are left out in all; empty lines at the end of a file are none.
public struct ParallelMeasure: Sendable {
    /// In the order given.
    public let languages: [String]
    /// Lines that every language has.
    public private(set) var texts = 0
    /// Lines left out.
    public private(set) var skipped = 0
    /// For each language.
    public private(set) var makeups: [TextMakeup]
    /// For each tokenizer the tokens of each language.
    public private(set) var tokens: [[Int]]

    /// - Parameter files: languages with their files, two at least; line by line one another's translations.
    /// - Throws: `FileError`, `MetricsError.notAligned`.
    public init(_ files: [(language: String, path: String)], tokenizers: [Tokenizer]) throws {
        let sources = try files.map { try LineSource($0.path) }
        let empty = ParallelMeasure(files.map(\.language), tokenizers)
        self = try reduceInBatches(
            into: empty,
            next: { () throws -> (item: [[UInt8]], bytes: Int)? in
                let lines = try sources.map { try $0.next() }
                guard let ended = lines.firstIndex(of: nil) else {
                    let found = lines.compactMap { $0 }
                    return (found, found.reduce(1) { $0 + $1.count })
                }
                let count = sources[ended].count
                guard let longer = try zip(sources, lines).first(where: { try $0.0.goesOn(with: $0.1) })?.0 else {
                    return nil
                }
                throw MetricsError.notAligned(path: sources[ended].path, lines: count, longer: longer.path)
            },
            transform: { groups in
                var measure = empty
                for lines in groups { measure.add(lines, tokenizers) }
                return measure
            },
            merge: { $0.add($1) })
    }

    private init(_ languages: [String], _ tokenizers: [Tokenizer]) {
        self.languages = languages
        makeups = languages.map { _ in TextMakeup() }
        tokens = tokenizers.map { _ in languages.map { _ in 0 } }
    }

    private mutating func add(_ lines: [[UInt8]], _ tokenizers: [Tokenizer]) {
        if lines.contains(where: \.isEmpty) {
            skipped += 1
            return
        }
        texts += 1
        for (language, line) in lines.enumerated() {
            line.withUnsafeBufferPointer { text in
                makeups[language].add(text)
                for (index, tokenizer) in tokenizers.enumerated() {
                    tokens[index][language] += tokenizer.encode(utf8: text).count
                }
            }
        }
    }

    private mutating func add(_ other: ParallelMeasure) {
        texts += other.texts
        skipped += other.skipped
        for language in makeups.indices { makeups[language].add(other.makeups[language]) }
        for index in tokens.indices {
            for language in tokens[index].indices { tokens[index][language] += other.tokens[index][language] }
        }
    }
}

/// A file's lines, one at a time.
private final class LineSource {
    let path: String
    private(set) var count = 0
    private var reader: LineReader

    init(_ path: String) throws {
        self.path = path
        reader = try LineReader(path)
    }

    func next() throws -> [UInt8]? {
        let line = try reader.withNextLine { Array($0) }
        if line != nil { count += 1 }
        return line
    }

    /// Whether a line just read, or one after it, is not blank.
    func goesOn(with line: [UInt8]?) throws -> Bool {
        var line = line
        while let read = line {
            if read.contains(where: { !Self.blanks.contains($0) }) { return true }
            line = try next()
        }
        return false
    }

    private static let blanks = Array(" \t\r".utf8)
}

public enum MetricsError: BadDataError, Equatable {
    case notAligned(path: String, lines: Int, longer: String)

    public var description: String {
        switch self {
        case .notAligned(let path, let lines, let longer):
            "\(path): ends after line \(lines) where \(longer) goes on; give files whose lines are one another's translations"
        }
    }
}
