import Foundation
public import PieceModel
import Tokenizers

extension HuggingFaceTokenizer {
    /// A SentencePiece model made of a tokenizer.json, and what it cannot say exactly.
    public struct Conversion: Sendable {
        public var model: SentencePieceModel
        /// One sentence for each way in which the two may part; empty if they are the same for all texts.
        public var differences: [String]
    }

    /// The same vocabulary, with scores that follow the order of the merges.
    ///
    /// - Throws: `TokenizerFormatError.inexpressible` if the ids have gaps, or the texts' preparation is not SentencePiece's.
    public func sentencePieceModel() throws -> Conversion {
        var proto = Sentencepiece_ModelProto()
        var differences: [String] = []
        if added.tokens.contains(where: \.isSpecial) {
            differences.append(
                "special tokens such as <s> written out in a text are found there, and are plain text here")
        }
        try setPieces(&proto)
        try setNormalizer(&proto, &differences)
        switch model {
        case .bpe(let merges):
            proto.trainerSpec.modelType = .bpe
            MergeOrder(merges, vocabulary).setScores(&proto, &differences)
        case .unigram(let tokens):
            proto.trainerSpec.modelType = .unigram
            for (id, score) in tokens.scores.enumerated() { proto.pieces[id].score = Float(score) }
            if tokens.scores.contains(where: { Double(Float($0)) != $0 }) {
                differences.append("scores are rounded to single precision")
            }
        }
        let model = SentencePieceModel(proto: proto, path: path)
        try model.validate()
        return Conversion(model: model, differences: differences)
    }

    private func inexpressible(_ reason: String) -> TokenizerFormatError {
        .inexpressible(path: path, format: "a .model", reason: reason)
    }

    private func setPieces(_ proto: inout Sentencepiece_ModelProto) throws {
        let unknown: Int32?
        let bytes: Bool
        switch model {
        case .bpe(let merges): (unknown, bytes) = (merges.unknownID, merges.fallsBackToBytes)
        case .unigram(let tokens): (unknown, bytes) = (tokens.unknownID, tokens.fallsBackToBytes)
        }
        let addedTypes = Dictionary(uniqueKeysWithValues: added.tokens.map { ($0.id, $0.isSpecial) })
        for id in 0..<count {
            guard let token = token(of: Int32(id)) else { throw inexpressible("no token has the id \(id)") }
            var piece = SentencePieceModel.Piece()
            piece.piece = String(decoding: token, as: UTF8.self)
            piece.score = 0
            if Int32(id) == unknown {
                piece.type = .unknown
            } else if let isSpecial = addedTypes[Int32(id)] {
                piece.type = isSpecial ? .control : .userDefined
            } else if bytes, byteValue(ofPiece: piece.piece) != nil {
                piece.type = .byte
            }
            proto.pieces.append(piece)
        }
        proto.trainerSpec.byteFallback = bytes && vocabulary.byteIDs.allSatisfy { $0 != nil }
        proto.trainerSpec.vocabSize = Int32(count)
        setSpecialPieces(&proto, unknown)
    }

    private func setSpecialPieces(_ proto: inout Sentencepiece_ModelProto, _ unknown: Int32?) {
        func id(_ text: String) -> Int32 {
            Int32(proto.pieces.firstIndex { $0.piece == text && $0.type == .control } ?? -1)
        }
        if let unknown {
            proto.trainerSpec.unkID = unknown
            proto.trainerSpec.unkPiece = proto.pieces[Int(unknown)].piece
        }
        (proto.trainerSpec.bosID, proto.trainerSpec.eosID, proto.trainerSpec.padID) = (
            id("<s>"), id("</s>"), id("<pad>")
        )
    }

    private func setNormalizer(_ proto: inout Sentencepiece_ModelProto, _ differences: inout [String]) throws {
        var preparation = TextPreparation()
        for step in normalizer.steps { try preparation.add(step).map { throw inexpressible($0) } }
        for step in preTokenizer.steps { try preparation.add(step, &differences).map { throw inexpressible($0) } }
        guard preparation.escapesSpaces else { throw inexpressible("spaces do not become ▁") }
        preparation.charsmapDiffers.map { differences.append($0) }
        proto.normalizerSpec.name = preparation.charsmap.isEmpty ? "identity" : "user_defined"
        proto.normalizerSpec.precompiledCharsmap = Data(preparation.charsmap)
        proto.normalizerSpec.addDummyPrefix = preparation.addsPrefix
        proto.normalizerSpec.removeExtraWhitespaces = preparation.removesExtraSpaces
        proto.normalizerSpec.escapeWhitespaces = true
    }
}

/// The steps of normalizer and pre-tokenizer as SentencePiece's normalizer specification.
private struct TextPreparation {
    var addsPrefix = false
    var escapesSpaces = false
    var removesExtraSpaces = false
    var charsmap: [UInt8] = []

    private static let mark = Array("▁".utf8)

    var charsmapDiffers: String? {
        charsmap.isEmpty
            ? nil : "the normalization table is applied to graphemes there, to characters and sequences here"
    }

    /// - Returns: what stands in the way, if anything does.
    mutating func add(_ step: TextNormalizer.Step) -> String? {
        switch step {
        case .prepend(Self.mark): addsPrefix = true
        case .replace([0x20], with: Self.mark): escapesSpaces = true
        case .replaceSpaces(with: [0x20]), .replaceSpaces(with: Self.mark), .strip: removesExtraSpaces = true
        case .precompiled(let table): charsmap = table.blob
        case .prepend, .replace, .replaceSpaces: return "the normalizer replaces or prepends other text than spaces"
        case .nfkc: return "the normalizer is NFKC of Unicode, for which it holds no table"
        }
        return nil
    }

    mutating func add(_ step: PreTokenizer.Step, _ differences: inout [String]) -> String? {
        switch step {
        case .metaspace(Self.mark, let prepends, let splits):
            escapesSpaces = true
            addsPrefix = prepends != .never
            if prepends == .always { differences.append("text after a special token gets a ▁ there") }
            if splits { differences.append("no piece reaches over a ▁ there") }
        case .metaspace: return "Metaspace marks spaces by another character than ▁"
        case .whitespace: removesExtraSpaces = true
        case .split: differences.append("text is split there before it is encoded")
        }
        return nil
    }
}
