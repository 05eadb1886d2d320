import FileIO

/// A safetensors file, mapped into memory, its header validated as a whole.
public struct SafetensorsFile: Sendable {
    public let path: String
    /// The tensors in the order of their bytes.
    public let tensors: TensorList
    private let file: MappedFile
    private let metadataJSON: [UInt8]

    /// - Throws: `FileError` if the file cannot be read, `SafetensorsError` if its header is not sound.
    public init(_ path: String) throws {
        let file = try MappedFile(path)
        let header = try file.withUnsafeBytes { bytes throws(SafetensorsError) in
            try SafetensorsHeader(validating: bytes, path: path, release: file.releasePages)
        }
        self.path = path
        self.file = file
        tensors = header.tensors
        metadataJSON = header.metadata
    }

    /// What the file says of itself, such as `format: pt`; read from the header's JSON each time.
    public var metadata: [String: String] { parsedMetadata(metadataJSON) }

    /// The file's name without its directory.
    public var name: String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// Bytes in the file.
    public var byteCount: Int { file.count }

    public subscript(name: String) -> TensorInfo? {
        tensors[name]
    }

    /// Calls `body` with the tensor's bytes, which are little-endian and not necessarily aligned.
    public func withUnsafeBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard let info = self[name] else { throw SafetensorsError.noTensor(path: path, tensor: name) }
        return try withUnsafeBytes(of: info, body)
    }

    /// The bytes of a tensor of this file.
    public func withUnsafeBytes<R, E: Error>(
        of tensor: TensorInfo, _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try file.withUnsafeBytes { bytes throws(E) in
            precondition(tensor.byteRange.upperBound <= bytes.count, "a tensor of another file")
            return try body(UnsafeRawBufferPointer(rebasing: bytes[tensor.byteRange]))
        }
    }

    /// Calls `body` with the tensor's bytes piece by piece, so that no more than one piece need be in memory.
    ///
    /// - Parameter size: Bytes in each piece but the last.
    public func forEachChunk(
        of tensor: TensorInfo, size: Int = 1 << 23, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        precondition(size > 0, "a chunk needs bytes")
        for start in stride(from: 0, to: tensor.byteCount, by: size) {
            try withChunk(of: tensor, start..<min(start + size, tensor.byteCount), body)
        }
    }

    /// Calls `body` with some of the tensor's bytes, counted from its first, and lets go of their memory afterwards.
    public func withChunk<R>(
        of tensor: TensorInfo, _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        precondition(range.upperBound <= tensor.byteCount, "bytes beyond the tensor")
        let start = tensor.byteRange.lowerBound
        defer { file.releasePages(start + range.lowerBound..<start + range.upperBound) }
        return try withUnsafeBytes(of: tensor) { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// The tensor's elements as `Float`, row by row.
    ///
    /// - Throws: `SafetensorsError.noTensor`, or `.notFloats` if it holds none.
    public func floats(of name: String) throws -> [Float] {
        guard let info = self[name] else { throw SafetensorsError.noTensor(path: path, tensor: name) }
        guard info.type.isFloatingPoint else {
            throw SafetensorsError.notFloats(tensor: name, type: info.type)
        }
        return withUnsafeBytes(of: info) { info.type.floats($0) }
    }
}
