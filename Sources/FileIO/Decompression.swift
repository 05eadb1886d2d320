internal import CZlib
internal import CZstd

/// How the bytes of a file are packed, told by their first bytes: neither signature can begin a UTF-8 text.
enum Compression {
    case none, gzip, zstd

    /// - Throws: `FileError.damaged` if the name ends in `.gz` or `.zst` and the bytes are something else.
    static func of(_ file: MappedFile) throws(FileError) -> Compression {
        let start = file.withUnsafeBytes { Array($0.prefix(4)) }
        if start.starts(with: [0x1F, 0x8B]) { return .gzip }
        if isZstandardFrame(start) { return .zstd }
        for (suffix, name) in [(".gz", "gzip"), (".zst", "zstd")] where file.path.hasSuffix(suffix) {
            throw .damaged(path: file.path, offset: 0, reason: "not \(name) data, as its name says")
        }
        return .none
    }
}

extension MappedFile {
    /// Whether the bytes are the content itself, not packed by gzip or zstd.
    ///
    /// - Throws: `FileError.damaged` if the name ends in `.gz` or `.zst` and the bytes are something else.
    public func isPlain() throws(FileError) -> Bool {
        try Compression.of(self) == .none
    }
}

/// A frame (0xFD2FB528, little endian) or a skippable frame (0x184D2A50 to 0x184D2A5F).
private func isZstandardFrame(_ start: [UInt8]) -> Bool {
    start == [0x28, 0xB5, 0x2F, 0xFD] || (start.count == 4 && start[0] >> 4 == 5 && start[1...] == [0x2A, 0x4D, 0x18])
}

/// A compressed file being unpacked, a buffer at a time.
protocol Decompressor: AnyObject {
    /// Fills `buffer` with the bytes that come next and returns how many; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int
}

func makeDecompressor(of file: MappedFile) throws(FileError) -> (any Decompressor)? {
    switch try Compression.of(file) {
    case .none: nil
    case .gzip: GzipDecompressor(file)
    case .zstd: ZstdDecompressor(file)
    }
}

/// gzip (RFC 1952), any number of members; zeros after the last are padding, as for gzip(1).
final class GzipDecompressor: Decompressor {
    private let file: MappedFile
    private let stream: UnsafeMutablePointer<z_stream>
    private var position = 0
    private var isBetweenMembers = false

    /// zlib counts its input in 32 bits.
    private static let largestInput = 1 << 30

    init(_ file: MappedFile) {
        self.file = file
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        precondition(kuoci_inflate_init_gzip(stream) == Z_OK, "zlib cannot start (out of memory)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try file.withUnsafeBytes { (input) throws(FileError) in
            var written = 0
            while written < buffer.count, position < input.count {
                if isBetweenMembers, try !beginsMember(input) { break }
                written += try inflateSome(input, into: UnsafeMutableRawBufferPointer(rebasing: buffer[written...]))
            }
            if written == 0, position == input.count, !isBetweenMembers { throw damage("it ends early") }
            return written
        }
    }

    private func damage(_ reason: String) -> FileError {
        .damaged(path: file.path, offset: position, reason: reason)
    }

    private func beginsMember(_ input: UnsafeRawBufferPointer) throws(FileError) -> Bool {
        if input[position...].allSatisfy({ $0 == 0 }) {
            position = input.count
            return false
        }
        guard inflateReset(stream) == Z_OK else { throw damage("zlib cannot go on") }
        isBetweenMembers = false
        return true
    }

    private func inflateSome(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FileError) -> Int {
        let given = min(input.count - position, Self.largestInput)
        let room = min(output.count, Self.largestInput)
        // zlib only reads what next_in points at, though its C type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.advanced(by: position).assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(given)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let status = inflate(stream, Z_NO_FLUSH)
        position += given - Int(stream.pointee.avail_in)
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isBetweenMembers = true
        default: throw damage(stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)")
        }
        return room - Int(stream.pointee.avail_out)
    }
}

/// Zstandard (RFC 8878), any number of frames; windows above 128 MiB are refused, as by zstd(1).
final class ZstdDecompressor: Decompressor {
    private let file: MappedFile
    private let stream: OpaquePointer
    private var position = 0
    /// Whether a frame is begun and not ended, or bytes of it are still inside the decoder.
    private var isInsideFrame = false

    init(_ file: MappedFile) {
        self.file = file
        guard let stream = ZSTD_createDStream() else { preconditionFailure("zstd cannot start (out of memory)") }
        self.stream = stream
    }

    deinit { ZSTD_freeDStream(stream) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try file.withUnsafeBytes { (input) throws(FileError) in
            var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: position)
            var target = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            while target.pos < target.size, source.pos < source.size || isInsideFrame {
                let before = (source.pos, target.pos)
                let status = ZSTD_decompressStream(stream, &target, &source)
                position = source.pos
                if ZSTD_isError(status) != 0 { throw damage(String(cString: ZSTD_getErrorName(status))) }
                isInsideFrame = status != 0
                if before == (source.pos, target.pos) { break }
            }
            if target.pos == 0, isInsideFrame { throw damage("it ends early") }
            return target.pos
        }
    }

    private func damage(_ reason: String) -> FileError {
        .damaged(path: file.path, offset: position, reason: reason)
    }
}

/// Whether a file is packed by gzip or zstd, told by its first bytes.
public func isPackedFile(_ path: String) throws(FileError) -> Bool {
    try Compression.of(MappedFile(path)) != .none
}
