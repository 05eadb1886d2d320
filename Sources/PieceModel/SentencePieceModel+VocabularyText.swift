import Foundation
import SwiftProtobuf

extension SentencePieceModel {
    /// The `.vocab` file: a line for each piece in id order, with its score as C++ prints a float.
    public func vocabularyText(withScores: Bool = true) -> String {
        var text = ""
        for piece in pieces {
            text += withScores ? "\(piece.piece)\t\(String(format: "%g", piece.score))\n" : "\(piece.piece)\n"
        }
        return text
    }

    /// The trainer specification as JSON, for people and manifests.
    public func trainerSpecificationJSON() throws -> String {
        try proto.trainerSpec.jsonString()
    }
}
