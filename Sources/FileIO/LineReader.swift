import Glibc

/// Reads a file line by line, plain or packed by gzip or zstd (told by its first bytes).
///
/// Lines end at LF only and come without it; bytes after the last LF are a line too. A plain file is mapped and
/// its lines are not copied, and memory behind lines long past is given back; of a packed one, memory holds a quarter of a
/// MiB or the longest line.
public struct LineReader: ~Copyable {
    public let path: String
    /// Lines returned so far: the number of the latest, counted from 1.
    public private(set) var lineNumber = 0
    private let file: MappedFile
    private let decompressor: (any Decompressor)?
    private let longestLine: Int
    /// The unpacked bytes; nil for a plain file.
    private var buffer: UnsafeMutableRawBufferPointer?
    /// The bytes of the file or of the buffer that are not yet returned.
    private var start = 0
    private var end: Int
    /// Bytes after `start` known to hold no LF.
    private var scanned = 0

    /// Bytes of a plain file whose memory was given back.
    private var released = 0

    private static let chunkSize = 1 << 18
    /// Memory is given back so many bytes at a time: often enough to stay small, seldom enough to cost nothing.
    private static let releaseSize = 64 << 20
    /// Where a packed file's line is taken for a decompression bomb: 1 GiB.
    public static let defaultLongestLine = 1 << 30

    /// - Parameter longestLine: bytes of a packed file's longest line; plain files have no limit.
    public init(_ path: String, longestLine: Int = LineReader.defaultLongestLine) throws(FileError) {
        let file = try MappedFile(path)
        let decompressor = try makeDecompressor(of: file)
        self.path = path
        self.longestLine = longestLine
        self.file = file
        self.decompressor = decompressor
        end = decompressor == nil ? file.count : 0
        buffer = decompressor == nil ? nil : .allocate(byteCount: Self.chunkSize, alignment: 16)
    }

    deinit { buffer?.deallocate() }

    /// Calls `body` with the next line and returns what it returns, or nil at the end.
    ///
    /// The bytes are valid inside `body` only.
    public mutating func withNextLine<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R? {
        guard let range = try nextLine() else { return nil }
        lineNumber += 1
        return try withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    private func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        if let buffer { return try body(UnsafeRawBufferPointer(buffer)) }
        return try file.withUnsafeBytes(body)
    }

    private mutating func nextLine() throws(FileError) -> Range<Int>? {
        while true {
            if let lineFeed = findLineFeed() {
                defer { advance(to: lineFeed + 1) }
                return start..<lineFeed
            }
            if try !refill() {
                defer { advance(to: end) }
                return start < end ? start..<end : nil
            }
        }
    }

    private mutating func advance(to position: Int) {
        start = position
        scanned = 0
        if decompressor == nil, position - released >= Self.releaseSize {
            file.releasePages(released..<position)
            released = position
        }
    }

    private mutating func findLineFeed() -> Int? {
        let from = start + scanned
        let found = withBytes { bytes -> Int? in
            // memchr looks at [from, end) only, which lies inside the bytes.
            guard from < end, let base = bytes.baseAddress, let hit = memchr(base + from, 0x0A, end - from) else {
                return nil
            }
            return UnsafeRawPointer(hit) - base
        }
        if found == nil { scanned = end - start }
        return found
    }

    /// Unpacks more behind the unread bytes; false if there is no more.
    private mutating func refill() throws(FileError) -> Bool {
        guard let decompressor, var buffer else { return false }
        if end - start > longestLine {
            throw .unreadable(
                path: path, reason: "line \(lineNumber + 1) unpacks to more than \(longestLine) bytes")
        }
        if end - start > buffer.count / 2 {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            buffer.deallocate()
            buffer = larger
            self.buffer = larger
        } else if start > 0, start < end, let base = buffer.baseAddress {
            memmove(base, base + start, end - start)
        }
        end -= start
        start = 0
        let count = try decompressor.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        end += count
        return count > 0
    }
}

/// Calls `body` with each line of a file, plain or packed, in order; the bytes are valid inside `body` only.
public func forEachLine(of path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    var reader = try LineReader(path)
    while try reader.withNextLine(body) != nil {}
}

/// The whole of a file, unpacked if it is gzip or zstd.
///
/// - Throws: `FileError.unreadable` if that is more than `limit` bytes.
public func readUnpackedFile(_ path: String, limit: Int = 1 << 30) throws(FileError) -> [UInt8] {
    let file = try MappedFile(path)
    guard let decompressor = try makeDecompressor(of: file) else { return file.withUnsafeBytes { Array($0) } }
    var result: [UInt8] = []
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { chunk.deallocate() }
    while true {
        let count = try decompressor.read(into: chunk)
        if count == 0 { return result }
        result.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        if result.count > limit { throw .unreadable(path: path, reason: "it unpacks to more than \(limit) bytes") }
    }
}
