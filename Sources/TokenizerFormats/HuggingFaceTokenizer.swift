import FileIO
import OrderedJSON
public import Tokenizers

/// A tokenizer.json, used as Hugging Face's `tokenizers` uses it: BPE of the LLaMA family, and unigram models as
/// transformers converts them from SentencePiece.
///
/// Truncation and padding, which concern batches, are left aside.
///
///     let tokenizer = try HuggingFaceTokenizer(contentsOf: "tokenizer.json")
///     let ids = tokenizer.encode("你好")
public struct HuggingFaceTokenizer: Sendable {
    /// Where it came from, for error messages.
    public let path: String
    let vocabulary: TokenTable
    let added: AddedTokens
    let normalizer: TextNormalizer
    let preTokenizer: PreTokenizer
    let model: Model
    let decoder: TokenDecoder?
    let template: SpecialTokenTemplate

    enum Model: Sendable {
        case bpe(RankedMerges)
        case unigram(ScoredTokens)
    }

    /// Files of this size or more are refused: 256 MiB, ten times the largest known.
    static let largestFile = 1 << 28

    public init(contentsOf path: String) throws {
        let file = try MappedFile(path)
        self = try file.withUnsafeBytes { try HuggingFaceTokenizer(bytes: $0, path: path) }
    }

    public init(bytes: UnsafeRawBufferPointer, path: String) throws(TokenizerFormatError) {
        guard bytes.count < Self.largestFile else {
            throw .malformed(
                path: path, place: "the file", reason: "has \(bytes.count) bytes, too many for a tokenizer")
        }
        let json: ExactJSON
        do {
            json = try ExactJSON(parsing: bytes)
        } catch {
            throw .notJSON(path: path, offset: error.offset, reason: error.reason)
        }
        try self.init(FileNode(path: path, place: "", json: json))
    }

    init(_ root: FileNode) throws(TokenizerFormatError) {
        guard root.json.members != nil else { throw root.failure("holds no JSON object") }
        path = root.path
        let settings = try root.member("model")
        switch try settings.type(default: settings["merges"] == nil ? "Unigram" : "BPE") {
        case "BPE":
            vocabulary = try TokenTable(bpe: settings.member("vocab"))
            model = .bpe(try RankedMerges(settings, vocabulary))
        case "Unigram":
            let (table, scores) = try TokenTable.unigram(settings.member("vocab"))
            vocabulary = table
            model = .unigram(try ScoredTokens(settings, table, scores))
        case let other: throw settings.unsupported("a model of type \(other)")
        }
        normalizer = try TextNormalizer(root["normalizer"])
        added = try AddedTokens(root["added_tokens"], vocabulary, normalizer)
        preTokenizer = try PreTokenizer(root["pre_tokenizer"])
        decoder = try root["decoder"].map { node throws(TokenizerFormatError) in try TokenDecoder(node) }
        template = try SpecialTokenTemplate(root["post_processor"], vocabulary, added)
    }

    /// Entries, added ones included.
    public var count: Int { vocabulary.count + added.countBeyondVocabulary }

    /// The ids of a text.
    ///
    /// - Parameter addingSpecialTokens: also what the file's post-processor puts around one text, such as `<s>`.
    public func encode(_ text: String, addingSpecialTokens: Bool = false) -> [PieceID] {
        var ids: [Int32] = addingSpecialTokens ? template.before : []
        let bytes = Array(text.utf8)
        for part in added.split(bytes, .asGiven) {
            if let id = part.id {
                ids.append(id)
            } else {
                encode(Array(bytes[part.range]), part.range.lowerBound, &ids)
            }
        }
        if addingSpecialTokens { ids += template.after }
        return ids.map { PieceID(rawValue: $0) }
    }

    /// The ids of a text given as bytes; what is not UTF-8 in them is read as U+FFFD.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>) -> [PieceID] {
        encode(String(decoding: bytes, as: UTF8.self))
    }

    /// Encodes what lies between added tokens that are matched before normalization.
    private func encode(_ text: [UInt8], _ start: Int, _ ids: inout [Int32]) {
        let normalized = normalizer.normalize(text)
        for part in added.split(normalized, .normalized) {
            if let id = part.id {
                ids.append(id)
                continue
            }
            let isFirst = start == 0 && part.range.lowerBound == 0
            for word in preTokenizer.words(of: Array(normalized[part.range]), isFirst: isFirst) {
                switch model {
                case .bpe(let merges): merges.encode(word, vocabulary, &ids)
                case .unigram(let tokens): tokens.encode(word, vocabulary, &ids)
                }
            }
        }
    }

    /// The text of ids.
    ///
    /// - Throws: `TokenizerError.idOutOfRange` for an id without a token, which `tokenizers` passes over.
    public func decode(_ ids: [PieceID], skippingSpecialTokens: Bool = true) throws(TokenizerError) -> String {
        var tokens: [[UInt8]] = []
        for id in ids {
            guard let token = token(of: id.rawValue) else {
                throw .idOutOfRange(id: Int(id.rawValue), count: count)
            }
            if skippingSpecialTokens, added.isSpecial(token) { continue }
            tokens.append(token)
        }
        let parts = decoder?.decode(tokens) ?? [Array(tokens.joined(separator: CollectionOfOne(0x20)))]
        return String(decoding: Array(parts.joined()), as: UTF8.self)
    }

    /// The token of an id; nil if it has none.
    func token(of id: Int32) -> [UInt8]? {
        added.contents[id] ?? vocabulary.token(of: id)
    }
}
