import Glibc

/// A file mapped read-only into memory.
///
/// The bytes live as long as the value. A file that another process shortens while it is mapped ends this
/// process with SIGBUS, as with every mapping; `MappedRanges` then knows which file it was.
public final class MappedFile: Sendable {
    public let path: String
    /// Bytes in the file.
    public let count: Int
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer?

    public init(_ path: String) throws(FileError) {
        // O_NONBLOCK: opening a FIFO must not wait for a writer; regular files are untouched by it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: lastErrorText())
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw .unreadable(path: path, reason: lastErrorText())
        }
        guard information.st_mode & S_IFMT != S_IFDIR else { throw .notAFile(path: path) }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "not a regular file")
        }
        self.path = path
        count = Int(information.st_size)
        guard count > 0 else {
            base = nil
            return
        }
        guard let mapping = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapping != MAP_FAILED else {
            throw .unreadable(path: path, reason: lastErrorText())
        }
        base = mapping
        MappedRanges.add(mapping, count, path)
    }

    deinit {
        guard let base else { return }
        MappedRanges.remove(base, count)
        munmap(base, count)
    }

    /// The file's bytes; valid while `self` lives, so never let them leave the closure without it.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Lets the kernel take back the memory behind bytes that are done with; read again, they come from the file.
    public func releasePages(_ range: Range<Int>) {
        guard let base, range.upperBound <= count else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound == count ? count : range.upperBound / page * page
        if end > start { madvise(base + start, end - start, MADV_DONTNEED) }
    }
}

/// The whole file as an array.
public func readFile(_ path: String) throws(FileError) -> [UInt8] {
    let file = try MappedFile(path)
    return file.withUnsafeBytes { Array($0) }
}

/// The text of `errno`.
package func lastErrorText() -> String {
    String(cString: strerror(errno))
}
