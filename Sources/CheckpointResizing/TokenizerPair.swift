import Checkpoints
import Foundation
import PieceModel
public import Tokenizers
public import VocabularyMerging

/// A model's own tokenizer and the one that is to take its place: the same entries first and then new ones, or entries
/// that moved.
public struct TokenizerPair: Sendable {
    public let old: Tokenizer
    public let new: Tokenizer
    /// Old entries that the model has rows for: the first ones.
    let oldRows: Int
    /// The new tokenizer's entries that the old one has not, or that the model has no rows for; ascending.
    let freshIDs: [Int]
    /// The old model without normalization: segments a piece's text as it stands, with no dummy space before it.
    private let segmenter: Tokenizer

    /// - Parameters:
    ///   - idMap: Where the old entries are among the new ones; nil where they stand where they stood.
    ///   - rows: Rows of the model; entries that it has none for are in no `subwords`.
    /// - Throws: `ResizingError.notAnExtension` at the first entry that differs, `PieceModelError`.
    public init(old: Tokenizer, new: Tokenizer, idMap: IDMap? = nil, rows: Int = .max) throws {
        var isKept = [Bool](repeating: false, count: new.count)
        for id in 0..<old.count {
            let place = idMap == nil ? id : idMap.flatMap { id < $0.newIDs.count ? $0.newIDs[id] : nil }
            guard let place, place < new.count else { continue }
            let (oldID, newID) = (PieceID(id), PieceID(place))
            guard old.vocabulary.bytes(of: oldID) == new.vocabulary.bytes(of: newID) else {
                throw ResizingError.notAnExtension(
                    tokenizer: new.model.path, id: place, old: old.vocabulary.text(of: oldID),
                    new: new.vocabulary.text(of: newID))
            }
            if id < rows { isKept[place] = true }
        }
        oldRows = min(old.count, rows)
        freshIDs = isKept.indices.filter { !isKept[$0] }
        var known = old.model
        if old.count > rows { known.proto.pieces.removeLast(old.count - rows) }
        segmenter = try Tokenizer(known.withoutNormalization)
        self.old = old
        self.new = new
    }

    /// The old ids that the text of a new entry is made of: for `▁人工` those of `▁人工`, for `人工` those of `人工`.
    ///
    /// None where the old tokenizer knows nothing of the text, and for what is no text: control and unused pieces, and
    /// rows beyond the entries.
    public func subwords(of id: Int) -> [Int] {
        guard isText(id, in: new) else { return [] }
        return segmenter.encode(new.vocabulary.text(of: PieceID(id))).filter { $0 != old.vocabulary.unknownID }
            .map { Int($0.rawValue) }
    }

    /// Whether an entry of one of the two is a piece of text as it stands.
    func isText(_ id: Int, in tokenizer: Tokenizer) -> Bool {
        guard id < tokenizer.count else { return false }
        switch tokenizer.vocabulary.type(of: PieceID(id)) {
        case .normal, .userDefined: return true
        case .unknown, .control, .unused, .byte: return false
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
