import Glibc

/// A file that appears under its name only when it is whole: written to a temporary sibling, synced, renamed.
///
/// Dropped without `commit()`, it leaves nothing behind.
public struct OutputFile: ~Copyable {
    public let path: String
    private let temporaryPath: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    /// Bytes written so far.
    public private(set) var count = 0

    private static let bufferSize = 1 << 20

    public init(_ path: String) throws(FileError) {
        self.path = path
        temporaryPath = temporarySibling(of: path)
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        buffer.reserveCapacity(Self.bufferSize)
        TemporaryPaths.add(temporaryPath)
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            unlink(temporaryPath)
        }
        TemporaryPaths.remove(temporaryPath)
    }

    public mutating func write(_ bytes: some Sequence<UInt8>) throws(FileError) {
        let before = buffer.count
        buffer.append(contentsOf: bytes)
        count += buffer.count - before
        if buffer.count >= Self.bufferSize { try flush() }
    }

    public mutating func write(_ text: String) throws(FileError) {
        try write(text.utf8)
    }

    /// Writes a large buffer without copying it.
    public mutating func write(bytes: UnsafeRawBufferPointer) throws(FileError) {
        try flush()
        try writeAll(bytes)
        count += bytes.count
    }

    private mutating func flush() throws(FileError) {
        // Array's closure methods know no typed errors: the result carries one out.
        try buffer.withUnsafeBytes { bytes in Result { () throws(FileError) in try writeAll(bytes) } }.get()
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var written = 0
        while written < bytes.count {
            // A write of 2 GiB or more is cut short by Linux; the loop takes care of it.
            let result = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if result < 0 {
                if errno == EINTR { continue }
                throw .unwritable(path: path, reason: lastErrorText())
            }
            written += result
        }
    }

    /// Syncs the bytes and gives the file its name, in place of an older one.
    public consuming func commit() throws(FileError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        guard rename(temporaryPath, path) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        close(descriptor)
        descriptor = -1
        syncDirectory(containing: path)
    }
}

/// Writes a small file as a whole.
public func writeFile(_ path: String, _ bytes: some Sequence<UInt8>) throws(FileError) {
    var file = try OutputFile(path)
    try file.write(bytes)
    try file.commit()
}

package func temporarySibling(of path: String) -> String {
    let (directory, name) = splitPath(path)
    return "\(directory)/.\(name).tmp-\(getpid())"
}

package func splitPath(_ path: String) -> (directory: String, name: String) {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return (".", String(trimmed)) }
    let directory = trimmed[..<slash]
    return (directory.isEmpty ? "/" : String(directory), String(trimmed[trimmed.index(after: slash)...]))
}

/// Makes a rename durable; a file system that cannot sync directories is left to itself.
package func syncDirectory(containing path: String) {
    let descriptor = open(splitPath(path).directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
}
