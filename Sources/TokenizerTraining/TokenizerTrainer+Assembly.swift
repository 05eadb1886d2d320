import PieceModel
import Tokenizers

extension TokenizerTrainer {
    /// The model: special pieces at their ids, then merges in the order learned, then the alphabet.
    ///
    /// A learned piece's score is minus its number among the learned ones, so the first has -0.
    func assemble(
        merges: [ArraySlice<UInt8>], alphabet: Alphabet, special: SpecialPieces
    ) throws(TrainingError) -> SentencePieceModel {
        var learned = merges.map { String(decoding: $0, as: UTF8.self) }
        learned += alphabet.characters.compactMap { Unicode.Scalar($0.scalar).map { String($0) } }
        let count = special.count + learned.count

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
                piece.piece = learned[next]
                piece.score = -Float(next)
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
        return SentencePieceModel(proto: proto)
    }
}
