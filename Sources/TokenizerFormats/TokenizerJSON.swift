import Foundation
import OrderedJSON
import PieceModel
public import Tokenizers
import UnicodeText

/// A BPE or unigram tokenizer as Hugging Face's `tokenizer.json`.
///
/// The format ranks merges strictly, so pieces of equal score, which SentencePiece merges leftmost first, cannot be
/// expressed exactly; merges are ordered as transformers does: by score, then the longer left half, then the longer right.
public struct TokenizerJSON: Sendable {
    private let vocabulary: Vocabulary
    private let tokenizer: Tokenizer
    private let addsBegin: Bool
    private let addsEnd: Bool

    /// - Parameters:
    ///   - addsBegin: whether a text is to begin with the id for that, where the tokenizer has one.
    ///   - addsEnd: whether it is to end with that one's counterpart.
    public init(_ tokenizer: Tokenizer, addsBegin: Bool = true, addsEnd: Bool = false) {
        (self.tokenizer, self.addsBegin, self.addsEnd) = (tokenizer, addsBegin, addsEnd)
        vocabulary = tokenizer.vocabulary
    }

    /// - Throws: `TokenizerFormatError.inexpressible` for a model whose text the format cannot prepare.
    public init(checking tokenizer: Tokenizer) throws(TokenizerFormatError) {
        let (trainer, normalizer) = (tokenizer.model.proto.trainerSpec, tokenizer.model.proto.normalizerSpec)
        func refuse(_ reason: String) -> TokenizerFormatError {
            .inexpressible(path: tokenizer.model.path, format: "tokenizer.json", reason: reason)
        }
        if trainer.treatWhitespaceAsSuffix { throw refuse("it marks spaces at the end of words") }
        if !normalizer.escapeWhitespaces { throw refuse("it leaves spaces as they are") }
        if trainer.modelType == .word || trainer.modelType == .char { throw refuse("it is a word or char model") }
        self.init(tokenizer)
    }

    private var isUnigram: Bool { tokenizer.model.proto.trainerSpec.modelType == .unigram }

    /// The file's bytes. Keys of the vocabulary are written one by one: a dictionary of strings would take canonically
    /// equivalent pieces for one.
    public func utf8() -> [UInt8] {
        var head: JSONValue = [
            "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": addedTokens,
            "normalizer": normalizer, "pre_tokenizer": .null, "post_processor": postProcessor, "decoder": decoder,
        ]
        head["model"] = modelSettings
        var text = head.utf8(.pretty)
        // The settings end in "}\n}" after the last member: vocabulary and merges go in before it.
        let end = Array("\n  }\n}".utf8)
        precondition(text.suffix(end.count).elementsEqual(end), "the layout of pretty JSON changed")
        text.removeLast(end.count)
        if isUnigram { return text + unigramVocabulary() }
        text += Array(",\n    \"vocab\": {\n".utf8)
        appendList(to: &text, count: vocabulary.count) { id in
            quoted(vocabulary.bytes(of: PieceID(id))) + Array(": \(id)".utf8)
        }
        text += Array("\n    },\n    \"merges\": [\n".utf8)
        let merges = mergeList()
        // "left right" is what every release reads; a half that holds a space needs a pair.
        let needsPairs = merges.contains { $0.left.contains(0x20) || $0.right.contains(0x20) }
        appendList(to: &text, count: merges.count) { index in
            let (left, right) = (merges[index].left, merges[index].right)
            if !needsPairs { return quoted(left + [0x20] + right) }
            return Array("[".utf8) + quoted(left) + Array(", ".utf8) + quoted(right) + Array("]".utf8)
        }
        return text + Array("\n    ]\n  }\n}".utf8)
    }

    private func appendList(to text: inout [UInt8], count: Int, _ item: (Int) -> [UInt8]) {
        for index in 0..<count {
            text += Array("      ".utf8)
            text += item(index)
            if index < count - 1 { text += Array(",\n".utf8) }
        }
    }

    private func quoted(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        JSONValue.string(String(decoding: Array(bytes), as: UTF8.self)).utf8(.line)
    }

    // MARK: Parts

    private var addedTokens: JSONValue {
        .array(
            specialPieces(of: vocabulary).map { id in
                [
                    "id": .integer(id.rawValue), "content": .string(vocabulary.text(of: id)), "single_word": false,
                    "lstrip": false, "rstrip": false, "normalized": false,
                    "special": .bool(vocabulary.type(of: id) != .userDefined),
                ]
            })
    }

    private var normalizer: JSONValue {
        let specification = tokenizer.model.proto.normalizerSpec
        let replace: JSONValue = ["type": "Replace", "pattern": ["String": " "], "content": "▁"]
        var steps: [JSONValue] = []
        if !specification.precompiledCharsmap.isEmpty {
            let blob = specification.precompiledCharsmap.base64EncodedString()
            steps.append(["type": "Precompiled", "precompiled_charsmap": .string(blob)])
        }
        if specification.removeExtraWhitespaces {
            steps.append(["type": "Strip", "strip_left": true, "strip_right": true])
            steps.append(["type": "Replace", "pattern": ["Regex": " {2,}"], "content": " "])
        }
        if specification.addDummyPrefix { steps.append(["type": "Prepend", "prepend": "▁"]) }
        steps.append(replace)
        return ["type": "Sequence", "normalizers": .array(steps)]
    }

    private var postProcessor: JSONValue {
        let (begin, end) = (addsBegin ? tokenizer.beginID : nil, addsEnd ? tokenizer.endID : nil)
        if begin == nil && end == nil { return .null }
        func special(_ id: PieceID?, _ type: Int) -> [JSONValue] {
            guard let id else { return [] }
            return [["SpecialToken": ["id": .string(vocabulary.text(of: id)), "type_id": .integer(type)]]]
        }
        func text(_ name: JSONValue, _ type: Int) -> [JSONValue] {
            special(begin, type) + [["Sequence": ["id": name, "type_id": .integer(type)]]] + special(end, type)
        }
        var names: JSONValue = [:]
        for id in [begin, end] {
            guard let id else { continue }
            let name = vocabulary.text(of: id)
            names[name] = ["id": .string(name), "ids": [.integer(id.rawValue)], "tokens": [.string(name)]]
        }
        return [
            "type": "TemplateProcessing", "single": .array(text("A", 0)), "pair": .array(text("A", 0) + text("B", 1)),
            "special_tokens": names,
        ]
    }

    private var decoder: JSONValue {
        var steps: [JSONValue] = [["type": "Replace", "pattern": ["String": "▁"], "content": " "]]
        if tokenizer.model.hasByteFallback { steps.append(["type": "ByteFallback"]) }
        steps.append(["type": "Fuse"])
        if tokenizer.model.proto.normalizerSpec.addDummyPrefix {
            steps.append(["type": "Strip", "content": " ", "start": 1, "stop": 0])
        }
        return ["type": "Sequence", "decoders": .array(steps)]
    }

    private var modelSettings: JSONValue {
        if isUnigram {
            return [
                "type": "Unigram", "unk_id": vocabulary.unknownID.map { .integer($0.rawValue) } ?? .null,
                "byte_fallback": .bool(tokenizer.model.hasByteFallback),
            ]
        }
        return [
            "type": "BPE", "dropout": .null,
            "unk_token": vocabulary.unknownID.map { .string(vocabulary.text(of: $0)) } ?? .null,
            "continuing_subword_prefix": .null, "end_of_word_suffix": .null, "fuse_unk": true,
            "byte_fallback": .bool(tokenizer.model.hasByteFallback), "ignore_merges": false,
        ]
    }

    /// Pairs of piece and score; a single-precision score is spelled out as the double that it is.
    private func unigramVocabulary() -> [UInt8] {
        var text = Array(",\n    \"vocab\": [\n".utf8)
        appendList(to: &text, count: vocabulary.count) { index in
            let id = PieceID(index)
            let score = JSONValue.double(Double(vocabulary.score(of: id))).utf8(.line)
            return Array("[".utf8) + quoted(vocabulary.bytes(of: id)) + Array(", ".utf8) + score + Array("]".utf8)
        }
        return text + Array("\n    ]\n  }\n}".utf8)
    }

    // MARK: Merges

    private struct Merge {
        var score: Float
        /// In characters.
        var leftLength: Int
        var rightLength: Int
        var left: ArraySlice<UInt8>
        var right: ArraySlice<UInt8>
    }

    /// All ways to make a piece of two, best first.
    private func mergeList() -> [Merge] {
        var merges: [Merge] = []
        for index in 0..<vocabulary.count where isMergeable(PieceID(index)) {
            merges += splits(of: PieceID(index))
        }
        let order = merges.indices.sorted { left, right in
            let (a, b) = (merges[left], merges[right])
            if a.score != b.score { return a.score > b.score }
            if a.leftLength != b.leftLength { return a.leftLength > b.leftLength }
            if a.rightLength != b.rightLength { return a.rightLength > b.rightLength }
            return left < right
        }
        return order.map { merges[$0] }
    }

    /// Reserved pieces are never merged into; of user-defined ones the tokenizer takes care itself.
    private func isMergeable(_ id: PieceID) -> Bool {
        switch vocabulary.type(of: id) {
        case .normal, .unused: true
        case .unknown, .control, .userDefined, .byte: false
        }
    }

    private func splits(of id: PieceID) -> [Merge] {
        let text = Array(vocabulary.bytes(of: id))
        var found: [(left: PieceID, right: PieceID, merge: Merge)] = []
        let characters = characterCount(text)
        var cut = UTF8Scalars.announcedLength(text[0])
        var leftLength = 1
        while cut < text.count {
            if let left = vocabulary.id(of: text[..<cut]), let right = vocabulary.id(of: text[cut...]) {
                let merge = Merge(
                    score: vocabulary.score(of: id), leftLength: leftLength, rightLength: characters - leftLength,
                    left: text[..<cut], right: text[cut...])
                found.append((left, right, merge))
            }
            cut += UTF8Scalars.announcedLength(text[cut])
            leftLength += 1
        }
        return found.sorted { ($0.left, $0.right) < ($1.left, $1.right) }.map(\.merge)
    }

    private func characterCount(_ text: [UInt8]) -> Int {
        text.count { $0 & 0xC0 != 0x80 }
    }
}

/// Pieces with a meaning of their own, by id: unknown, control and user-defined ones.
func specialPieces(of vocabulary: Vocabulary) -> [PieceID] {
    (0..<vocabulary.count).map { PieceID($0) }.filter { id in
        switch vocabulary.type(of: id) {
        case .unknown, .control, .userDefined: true
        case .normal, .unused, .byte: false
        }
    }
}
