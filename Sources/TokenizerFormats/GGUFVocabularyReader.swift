import Foundation
import GGUF
import PieceModel

/// Makes a SentencePiece model of the values under `tokenizer.ggml`.
struct GGUFVocabularyReader {
    private let file: GGUFHeader

    init(_ file: GGUFHeader) {
        self.file = file
    }

    private func key(_ name: String) -> String { "tokenizer.ggml." + name }

    private func failure(_ name: String, _ reason: String) -> TokenizerFormatError {
        .malformed(path: file.path, place: key(name), reason: reason)
    }

    private func value(_ name: String) throws(TokenizerFormatError) -> GGUFValue {
        guard let value = file.values[key(name)] else {
            throw failure(name, "is missing: the file holds no vocabulary")
        }
        return value
    }

    private func flag(_ name: String, default standard: Bool) throws(TokenizerFormatError) -> Bool {
        switch file.values[key(name)] {
        case nil: return standard
        case .bool(let flag): return flag
        default: throw failure(name, "is neither true nor false")
        }
    }

    func model() throws -> SentencePieceModel {
        guard case .string(let kind) = try value("model") else { throw failure("model", "is no string") }
        var proto = Sentencepiece_ModelProto()
        switch String(decoding: kind, as: UTF8.self) {
        case "llama": proto.trainerSpec.modelType = .bpe
        case "t5": proto.trainerSpec.modelType = .unigram
        default:
            throw TokenizerFormatError.unsupported(
                path: file.path, place: key("model"), what: "a vocabulary of kind \(shown(kind))")
        }
        proto.pieces = try pieces()
        proto.trainerSpec.vocabSize = Int32(proto.pieces.count)
        proto.trainerSpec.byteFallback = proto.pieces.contains { $0.type == .byte }
        try setSpecialPieces(&proto)
        try setNormalizer(&proto)
        let model = SentencePieceModel(proto: proto, path: file.path)
        try model.validate()
        return model
    }

    private func pieces() throws(TokenizerFormatError) -> [SentencePieceModel.Piece] {
        guard case .strings(let tokens) = try value("tokens") else { throw failure("tokens", "is no array of strings") }
        guard case .floats(let scores) = try value("scores") else { throw failure("scores", "is no array of floats") }
        guard case .integers(let types) = try value("token_type") else {
            throw failure("token_type", "is no array of integers")
        }
        for (name, count) in [("scores", scores.count), ("token_type", types.count)] where count != tokens.count {
            throw failure(name, "has \(count) entries where there are \(tokens.count) tokens")
        }
        guard tokens.count <= Int32.max else { throw failure("tokens", "has \(tokens.count) entries, too many") }
        var pieces: [SentencePieceModel.Piece] = []
        pieces.reserveCapacity(tokens.count)
        for (index, token) in tokens.enumerated() {
            guard let text = String(validating: token, as: UTF8.self) else {
                throw failure("tokens[\(index)]", "is not valid UTF-8")
            }
            guard let number = Int(exactly: types[index]),
                let type = SentencePieceModel.Piece.TypeEnum(rawValue: number)
            else { throw failure("token_type[\(index)]", "is \(types[index]), none of 1 to 6") }
            var piece = SentencePieceModel.Piece()
            piece.piece = text
            piece.score = scores[index]
            if type != .normal { piece.type = type }
            pieces.append(piece)
        }
        return pieces
    }

    /// The piece that an id of the file names; nil if the file names none.
    private func piece(
        _ name: String, _ pieces: [SentencePieceModel.Piece]
    ) throws(TokenizerFormatError) -> (id: Int32, text: String)? {
        let key = name + "_token_id"
        let id: Int
        switch file.values[self.key(key)] {
        case nil: return nil
        case .unsigned(let value): id = Int(clamping: value)
        case .signed(let value): id = Int(clamping: value)
        default: throw failure(key, "is no id")
        }
        guard pieces.indices.contains(id) else {
            throw failure(key, "is \(id), outside the \(pieces.count) tokens")
        }
        return (Int32(id), pieces[id].piece)
    }

    private func setSpecialPieces(_ proto: inout Sentencepiece_ModelProto) throws(TokenizerFormatError) {
        let pieces = proto.pieces
        typealias Specification = Sentencepiece_TrainerSpec
        let roles: [(String, WritableKeyPath<Specification, Int32>, WritableKeyPath<Specification, String>)] = [
            ("unknown", \.unkID, \.unkPiece), ("bos", \.bosID, \.bosPiece), ("eos", \.eosID, \.eosPiece),
            ("padding", \.padID, \.padPiece),
        ]
        for (role, id, text) in roles {
            guard let found = try piece(role, pieces) else { continue }
            proto.trainerSpec[keyPath: id] = found.0
            // A text that is the default's is not written out.
            if found.1 != proto.trainerSpec[keyPath: text] { proto.trainerSpec[keyPath: text] = found.1 }
        }
    }

    private func setNormalizer(_ proto: inout Sentencepiece_ModelProto) throws(TokenizerFormatError) {
        let isUnigram = proto.trainerSpec.modelType == .unigram
        proto.normalizerSpec.name = "identity"
        proto.normalizerSpec.addDummyPrefix = try flag("add_space_prefix", default: true)
        proto.normalizerSpec.removeExtraWhitespaces = try flag("remove_extra_whitespaces", default: isUnigram)
        proto.normalizerSpec.escapeWhitespaces = true
        guard let charsmap = file.values[key("precompiled_charsmap")] else { return }
        guard case .integers(let bytes) = charsmap else {
            throw failure("precompiled_charsmap", "is no array of bytes")
        }
        proto.normalizerSpec.name = "user_defined"
        proto.normalizerSpec.precompiledCharsmap = Data(bytes.map { UInt8(truncatingIfNeeded: $0) })
    }
}
