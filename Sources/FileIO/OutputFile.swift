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
        TemporaryPaths.add(temporaryPath)
        descriptor = openNewFile(temporaryPath)
        guard descriptor >= 0 else {
            let reason = lastErrorText()
            TemporaryPaths.remove(temporaryPath)
            throw .unwritable(path: path, reason: reason)
        }
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit {
        guard descriptor >= 0 else { return TemporaryPaths.remove(temporaryPath) }
        close(descriptor)
        TemporaryPaths.remove(temporaryPath) { unlink($0) }
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
                // Bytes of a mapped file that are no longer there.
                if errno == EFAULT { throw .unwritable(path: path, reason: "its input was shortened meanwhile") }
                throw .unwritable(path: path, reason: lastErrorText())
            }
            written += result
        }
    }

    /// Syncs the bytes and gives the file its name, in place of an older one.
    ///
    /// - Throws: `FileError.alreadyExists` if there is an older one and `replacing` is false.
    public consuming func commit(replacing: Bool = true) throws(FileError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        try place(replacing: replacing)
        close(descriptor)
        descriptor = -1
        try syncDirectory(splitPath(path).directory)
    }

    private func place(replacing: Bool) throws(FileError) {
        if !replacing {
            if renameEntry(temporaryPath, path, .keepsExisting) == 0 { return }
            let mayStillBeFree = lacksRenameRules(errno) && !entryExists(path)
            if errno == EEXIST || lacksRenameRules(errno) && !mayStillBeFree { throw .alreadyExists(path: path) }
            guard mayStillBeFree else { throw .unwritable(path: path, reason: lastErrorText()) }
        }
        guard rename(temporaryPath, path) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
    }
}

/// Writes a small file as a whole.
///
/// - Throws: `FileError.alreadyExists` if it is there and `replacing` is false.
public func writeFile(_ path: String, _ bytes: some Sequence<UInt8>, replacing: Bool = true) throws(FileError) {
    var file = try OutputFile(path)
    try file.write(bytes)
    try file.commit(replacing: replacing)
}

/// Opens a file for writing that nobody has opened before; a killed process of our number may have left one.
func openNewFile(_ path: String, access: CInt = O_WRONLY) -> CInt {
    // O_EXCL: never through a link that somebody else laid there.
    let flags = access | O_CREAT | O_EXCL | O_CLOEXEC
    let descriptor = open(path, flags, 0o666)
    if descriptor >= 0 || errno != EEXIST { return descriptor }
    unlink(path)
    return open(path, flags, 0o666)
}

/// What the names of an output's temporary siblings begin with.
func temporaryPrefix(of path: String) -> String {
    let (directory, name) = splitPath(path)
    return "\(directory)/.\(name).tmp-"
}

package func temporarySibling(of path: String) -> String {
    temporaryPrefix(of: path) + "\(getpid())"
}

package func splitPath(_ path: String) -> (directory: String, name: String) {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return (".", String(trimmed)) }
    let directory = trimmed[..<slash]
    return (directory.isEmpty ? "/" : String(directory), String(trimmed[trimmed.index(after: slash)...]))
}

/// Makes renames in a directory durable; a file system that cannot sync directories is left to itself.
func syncDirectory(_ directory: String) throws(FileError) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Of the errors only these two say that what was written may be lost.
    guard fsync(descriptor) == 0 || errno != EIO && errno != ENOSPC else {
        throw .unwritable(path: directory, reason: lastErrorText())
    }
}

/// As `syncDirectory`, for the directory that a file is in, and as far as it goes.
package func syncDirectory(containing path: String) {
    try? syncDirectory(splitPath(path).directory)
}
