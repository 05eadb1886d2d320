public import PieceModel
import Tokenizers

/// Which pieces a model's normalization leaves in texts.
public struct PieceNormalization: Sendable {
    private let specification: Sentencepiece_NormalizerSpec
    private let normalizer: Normalizer

    /// - Throws: `PieceModelError` for rules that cannot be read.
    public init(_ model: SentencePieceModel) throws(PieceModelError) {
        specification = model.proto.normalizerSpec
        normalizer = try Normalizer(
            specification: specification, treatsWhitespaceAsSuffix: false, path: model.path)
    }

    /// Whether neither the piece as it stands nor the text that it is meant for, alone or inside a word, holds it after
    /// normalization.
    public func takesAway(_ piece: [UInt8]) -> Bool {
        let plain = String(decoding: piece, as: UTF8.self)
        if specification.precompiledCharsmap.isEmpty, !isChangedBySpaces(piece, plain) { return false }
        let meant = String(plain.unicodeScalars.map { $0 == "\u{2581}" ? " " : Character($0) })
        return ![plain, meant, "x" + plain + "x", "x" + meant + "x"].contains { text in
            normalizer.normalize(text).contains(piece)
        }
    }

    /// Whether what normalization does to spaces could change a piece.
    private func isChangedBySpaces(_ piece: [UInt8], _ plain: String) -> Bool {
        let hasSpace = piece.contains(0x20)
        return specification.escapeWhitespaces && hasSpace
            || specification.removeExtraWhitespaces && (hasSpace || plain.unicodeScalars.contains("\u{2581}"))
    }
}
