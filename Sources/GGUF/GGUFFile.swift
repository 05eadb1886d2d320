import FileIO

/// A GGUF file, mapped into memory, its keys and the places of its tensors validated as a whole.
public struct GGUFFile: Sendable {
    public let header: GGUFHeader
    /// In the order of their bytes.
    public let tensors: [GGUFTensor]
    private let file: MappedFile
    private let indices: [String: Int]

    /// - Throws: `FileError` if the file cannot be read, `GGUFError` if it is not sound.
    public init(_ path: String) throws {
        file = try MappedFile(path)
        (header, tensors) = try file.withUnsafeBytes { bytes throws(GGUFError) in
            let header = try GGUFHeader(bytes: bytes, path: path)
            return (header, try header.tensors(in: bytes))
        }
        // No name is there twice.
        indices = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    public var path: String { header.path }

    public subscript(name: String) -> GGUFTensor? {
        indices[name].map { tensors[$0] }
    }

    /// Calls `body` with some of a tensor's bytes, counted from its first, and lets go of their memory afterwards.
    public func withChunk<R>(
        of tensor: GGUFTensor, _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        precondition(range.upperBound <= tensor.byteCount, "bytes beyond the tensor")
        let start = tensor.byteRange.lowerBound
        let place = start + range.lowerBound..<start + range.upperBound
        defer { file.releasePages(place) }
        return try file.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[place])) }
    }
}
