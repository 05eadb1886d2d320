import PieceModel
import Tokenizers

/// A piece that training gives, in UTF-8, with its score.
struct LearnedPiece: Sendable {
    var text: [UInt8]
    var score: Float
}

extension TokenizerTrainer {
    /// The model: special pieces at their ids, the learned ones in order at all others.
    func assemble(_ learned: [LearnedPiece], special: SpecialPieces) throws(TrainingError) -> SentencePieceModel {
        let count = special.count + learned.count
        try checkSize(count)
        try checkDistinct(learned, special)
        var proto = Sentencepiece_ModelProto()
        proto.pieces.reserveCapacity(count)
        var next = 0
        for id in 0..<count {
            var piece = SentencePieceModel.Piece()
            if let (text, type) = special.byID[id] {
                piece.piece = text
                piece.score = 0
                piece.type = type
            } else if next < learned.count {
                piece.piece = String(decoding: learned[next].text, as: UTF8.self)
                piece.score = learned[next].score
                next += 1
            } else {
                throw .badSpecification(
                    flag: "pad_id", reason: "a reserved id lies beyond the \(count) entries; lower it")
            }
            proto.pieces.append(piece)
        }
        proto.trainerSpec = specification
        proto.trainerSpec.vocabSize = Int32(count)
        proto.normalizerSpec = normalizerSpecification
        if let denormalizerSpecification { proto.denormalizerSpec = denormalizerSpecification }
        return SentencePieceModel(proto: proto)
    }

    /// A hard limit must be met, unless all characters or words are asked for; characters alone may be fewer.
    private func checkSize(_ count: Int) throws(TrainingError) {
        let wanted = Int(specification.vocabSize)
        if specification.useAllVocab || growth != nil { return }
        if count > wanted { throw .alphabetTooLarge(vocabularySize: wanted, needed: count) }
        if specification.hardVocabLimit, specification.modelType != .char, count < wanted {
            throw .tooFewMerges(vocabularySize: wanted, possible: count)
        }
    }

    private func checkDistinct(_ learned: [LearnedPiece], _ special: SpecialPieces) throws(TrainingError) {
        var seen = ByteStringTable(minimumCapacity: special.count + learned.count)
        for id in special.byID.keys.sorted() {
            let piece = special.byID[id]?.piece ?? ""
            if !seen.insert(piece.utf8).inserted { throw .badSymbol(piece: piece, reason: "is given twice") }
        }
        for piece in learned where !seen.insert(piece.text).inserted {
            throw .badSymbol(
                piece: String(decoding: piece.text, as: UTF8.self),
                reason: "is learned from the text or required besides; leave it out")
        }
    }
}

/// Pieces in the order of a BPE vocabulary: each has minus its number for a score, so the first has -0.
func numbered(_ texts: some Sequence<[UInt8]>) -> [LearnedPiece] {
    texts.enumerated().map { LearnedPiece(text: $1, score: -Float($0)) }
}
