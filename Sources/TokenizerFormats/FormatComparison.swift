import FileIO
import Partitioning
import PieceModel
public import Tokenizers

/// How many lines two tokenizers encode differently.
public struct FormatComparison: Sendable, Equatable {
    public var lines = 0
    public var differing = 0

    public init() {}

    /// Anything that makes ids of UTF-8.
    typealias Encoder = @Sendable (UnsafeBufferPointer<UInt8>) -> [PieceID]

    mutating func add(_ line: UnsafeBufferPointer<UInt8>, _ left: Encoder, _ right: Encoder) {
        lines += 1
        if left(line) != right(line) { differing += 1 }
    }

    /// A tokenizer.json against a SentencePiece model, on the lines of files or, if there are none, on the model's probe.
    public init(_ left: HuggingFaceTokenizer, _ right: Tokenizer, onLinesOf paths: [String]) throws {
        try self.init(right, onLinesOf: paths, { left.encode(utf8: $0) }, { right.encode(utf8: $0) })
    }

    /// Two SentencePiece models.
    public init(_ left: Tokenizer, _ right: Tokenizer, onLinesOf paths: [String]) throws {
        try self.init(right, onLinesOf: paths, { left.encode(utf8: $0) }, { right.encode(utf8: $0) })
    }

    private init(_ probed: Tokenizer, onLinesOf paths: [String], _ left: @escaping Encoder, _ right: @escaping Encoder)
        throws
    {
        for path in paths {
            var reader = try LineReader(path)
            try addAll({ try reader.withNextLine { Array($0) } }, left, right)
        }
        if !paths.isEmpty { return }
        var lines = probe(for: probed)[...]
        try addAll({ lines.popFirst() }, left, right)
    }

    /// Compares lines on all cores.
    private mutating func addAll(
        _ next: () throws -> [UInt8]?, _ left: @escaping Encoder, _ right: @escaping Encoder
    ) throws {
        self = try reduceInBatches(
            into: self,
            next: { try next().map { ($0, $0.count + 1) } },
            transform: { lines in
                var comparison = FormatComparison()
                for line in lines { line.withUnsafeBufferPointer { comparison.add($0, left, right) } }
                return comparison
            },
            merge: { total, part in
                total.lines += part.lines
                total.differing += part.differing
            })
    }
}

/// Lines that lead a tokenizer through what formats differ in: each of its own pieces alone, and between others; runs of
/// the same character, spaces, several scripts, digits, code, and what it cannot know. Special tokens are left out: a
/// tokenizer.json finds `<s>` in a text, and a SentencePiece model never does.
func probe(for tokenizer: Tokenizer) -> [[UInt8]] {
    let vocabulary = tokenizer.vocabulary
    var lines = fixedProbe.map { Array($0.utf8) }
    var previous: [UInt8] = []
    for index in 0..<vocabulary.count {
        let id = PieceID(index)
        guard vocabulary.type(of: id) == .normal else { continue }
        let text = replacing([0xE2, 0x96, 0x81], in: Array(vocabulary.bytes(of: id)), with: [0x20])
        lines.append(text)
        lines.append(previous + text)
        previous = text
    }
    return lines
}

private let fixedProbe = [
    "The quick brown fox jumps over the lazy dog, and 3.14159 is not 22/7.",
    "for (int i = 0; i < n; ++i) {\tprintf(\"%d\\n\", a[i]);  }",
    "    if self.config.byte_fallback is None:  # nothing to do",
    "人工智能是计算机科学、心理学、哲学等学科融合的科学。", "床前明月光，疑是地上霜。举头望明月，低头思故乡。",
    "人人人人人人人人人", "哈哈哈哈哈哈哈", "aaaaaaaaaaaaaaaaaaaaaaaaa", "                  ", "ababababababab",
    "1234567890 0000000000 99999", "！！！？？？……——", "  两个空格  开头和结尾  ", "Ünïcödé e\u{301} ﬁ ＡＢＣ ① ㍿ ½",
    "日本語のテキストと한국어 텍스트", "Русский текст, ελληνικά, العربية, עברית, हिन्दी", "😀👩‍👩‍👧‍👦🇨🇳 \u{10FFFF}\u{E000}",
    "people create electric theatre really actually", "\u{3000}全角空格\u{3000}", "<0x0A> <0xE4> ▁▁ ▁",
]
