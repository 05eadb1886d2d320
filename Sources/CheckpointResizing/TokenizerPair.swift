import Checkpoints
import Foundation
import PieceModel
public import Tokenizers

/// A model's own tokenizer and the larger one that is to take its place: the same entries first, then new ones.
public struct TokenizerPair: Sendable {
    public let old: Tokenizer
    public let new: Tokenizer
    /// The old model without normalization: segments a piece's text as it stands, with no dummy space before it.
    private let segmenter: Tokenizer

    /// - Throws: `ResizingError.notAnExtension` at the first entry that differs, `PieceModelError`.
    public init(old: Tokenizer, new: Tokenizer) throws {
        for id in 0..<min(old.count, new.count) {
            let id = PieceID(id)
            guard old.vocabulary.bytes(of: id) == new.vocabulary.bytes(of: id) else {
                throw ResizingError.notAnExtension(
                    tokenizer: new.model.path, id: Int(id.rawValue), old: old.vocabulary.text(of: id),
                    new: new.vocabulary.text(of: id))
            }
        }
        segmenter = try Tokenizer(old.model.withoutNormalization)
        self.old = old
        self.new = new
    }

    /// The old ids that the text of a new entry is made of: for `▁人工` those of `▁人工`, for `人工` those of `人工`.
    ///
    /// None where the old tokenizer knows nothing of the text, and for what is no text: control and unused pieces.
    public func subwords(of id: Int) -> [Int] {
        guard isText(id, in: new) else { return [] }
        return segmenter.encode(new.vocabulary.text(of: PieceID(id))).filter { $0 != old.vocabulary.unknownID }
            .map { Int($0.rawValue) }
    }

    /// Whether an entry of one of the two is a piece of text as it stands.
    func isText(_ id: Int, in tokenizer: Tokenizer) -> Bool {
        switch tokenizer.vocabulary.type(of: PieceID(id)) {
        case .normal, .userDefined: true
        case .unknown, .control, .unused, .byte: false
        }
    }
}

/// The tokenizer files that a path names, with the names they are to have beside a checkpoint.
///
/// - Throws: `ResizingError.noTokenizer` if there is no SentencePiece model among them.
public func tokenizerFiles(at path: String) throws -> [(source: String, name: String)] {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        throw ResizingError.noTokenizer(path: path)
    }
    guard isDirectory.boolValue else { return [(path, "tokenizer.model")] }
    let names = try tokenizerFilesIn(path)
    guard names.contains("tokenizer.model") else { throw ResizingError.noTokenizer(path: path) }
    return names.map { ("\(path)/\($0)", $0) }
}
