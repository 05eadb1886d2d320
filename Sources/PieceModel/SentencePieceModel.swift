import FileIO
import SwiftProtobuf

/// A SentencePiece model file: pieces with scores and types, and the specifications it was trained with.
public struct SentencePieceModel: Sendable {
    /// The protocol buffer as it stands in the file, unknown fields included.
    public var proto: Sentencepiece_ModelProto
    /// Where it came from, for error messages.
    public var path: String

    public typealias Piece = Sentencepiece_ModelProto.SentencePiece

    public init(proto: Sentencepiece_ModelProto, path: String = "(in memory)") {
        self.proto = proto
        self.path = path
    }

    /// Reads and validates a `.model` file.
    public init(contentsOf path: String) throws {
        let file = try MappedFile(path)
        self = try file.withUnsafeBytes { try SentencePieceModel(bytes: $0, path: path) }
    }

    public init(bytes: UnsafeRawBufferPointer, path: String) throws(PieceModelError) {
        if bytes.isEmpty { throw .empty(path: path) }
        if let what = foreignFormat(bytes) { throw .foreign(path: path, what: what) }
        do {
            // No field of the format is required: there is nothing to check for in every piece.
            proto = try Sentencepiece_ModelProto(serializedBytes: Array(bytes), partial: true)
        } catch {
            throw .malformed(path: path, reason: "\(error)")
        }
        self.path = path
        try validate()
    }

    /// The bytes that sentencepiece's own SerializeToString gives for the same content.
    public func serialized() throws(PieceModelError) -> [UInt8] {
        do {
            return try proto.serializedBytes()
        } catch {
            throw .malformed(path: path, reason: "\(error)")
        }
    }

    public var pieces: [Piece] { proto.pieces }

    public var hasByteFallback: Bool { proto.trainerSpec.byteFallback }
}

/// What a file that cannot be a model is, told by its first bytes.
private func foreignFormat(_ bytes: UnsafeRawBufferPointer) -> String? {
    let start = bytes.prefix(64)
    let text = String(decoding: start, as: UTF8.self).lowercased()
    if text.hasPrefix("version https://git-lfs") { return "a Git LFS pointer" }
    if text.hasPrefix("<!doctype") || text.hasPrefix("<html") { return "an HTML page" }
    if text.hasPrefix("{") { return "a JSON text" }
    if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return "a zip archive (perhaps a PyTorch .bin)" }
    if start.starts(with: [0x80, 0x02]) || start.starts(with: [0x80, 0x04]) { return "a Python pickle" }
    if start.starts(with: [0x1F, 0x8B]) { return "a gzip file" }
    return nil
}
