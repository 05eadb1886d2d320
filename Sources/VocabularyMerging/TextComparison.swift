import PieceModel
import Synchronization
public import Tokenizers
public import UnicodeText

/// How many texts without some scripts get other ids from a merge than from its base.
public struct TextComparison: Sendable, Equatable {
    /// The files.
    public private(set) var paths: [String] = []
    /// Lines that are not empty.
    public private(set) var texts = 0
    /// Those without a character of the scripts.
    public private(set) var withoutScripts = 0
    /// Those of them that get other ids.
    public private(set) var changed = 0
    /// The first of these: its file and number, counted from 1.
    public private(set) var firstChange: Place?

    public struct Place: Sendable, Equatable {
        public var path: String
        public var line: Int
    }

    /// Compares on the lines of files, on all cores.
    ///
    /// Where the base's normalization makes characters of the scripts of others, the text after it counts.
    ///
    /// - Throws: `FileError`.
    public init(base: Tokenizer, merged: Tokenizer, without scripts: ScriptSet, onLinesOf paths: [String]) throws {
        let normalizer = try MappingNormalizer(base)
        let total = Mutex(TextComparison())
        try forEachLineBatch(of: paths) { (batch: LineBatch<TextComparison>) in
            var comparison = TextComparison()
            var number = batch.firstNumber - 1
            batch.forEachLine { line in
                number += 1
                if line.isEmpty { return }
                comparison.texts += 1
                if scripts.isFound(in: line) || normalizer?.makes(scripts, of: line) == true { return }
                comparison.withoutScripts += 1
                if base.encode(utf8: line) != merged.encode(utf8: line) {
                    comparison.changed += 1
                    if comparison.changed == 1 { comparison.firstChange = Place(path: batch.path, line: number) }
                }
            }
            return comparison
        } taking: { comparison, _ in
            total.withLock { $0.add(comparison) }
        }
        self = total.withLock { $0 }
        self.paths = paths
    }

    private init() {}

    private mutating func add(_ other: TextComparison) {
        texts += other.texts
        withoutScripts += other.withoutScripts
        changed += other.changed
        firstChange = firstChange ?? other.firstChange
    }

    /// - Throws: `MergeError.changesText` if any text was changed, `MergeError.nothingToProve` if none was compared.
    public func check() throws(MergeError) {
        if withoutScripts == 0 { throw .nothingToProve(paths: paths) }
        guard let firstChange else { return }
        throw .changesText(path: firstChange.path, line: firstChange.line, changed: changed, texts: withoutScripts)
    }
}

/// The normalizer of a tokenizer that maps characters to others.
private struct MappingNormalizer {
    private let normalizer: Normalizer

    /// Nil if the tokenizer maps no characters.
    init?(_ tokenizer: Tokenizer) throws {
        let specification = tokenizer.model.proto.normalizerSpec
        if specification.precompiledCharsmap.isEmpty { return nil }
        normalizer = try Normalizer(
            specification: specification, treatsWhitespaceAsSuffix: false, path: tokenizer.model.path)
    }

    func makes(_ scripts: ScriptSet, of line: UnsafeBufferPointer<UInt8>) -> Bool {
        scripts.isFound(in: normalizer.normalize(line))
    }
}
