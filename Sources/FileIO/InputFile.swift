import Glibc

/// A file that is read from front to back into the caller's memory, nothing of it mapped.
package final class InputFile: Sendable {
    package let path: String
    /// Bytes in the file when it was opened.
    package let byteCount: Int
    private let descriptor: Int32

    package init(_ path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            byteCount = 0
            throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: lastErrorText())
        }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            byteCount = 0
            throw .unreadable(path: path, reason: lastErrorText())
        }
        byteCount = Int(information.st_size)
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Fills `buffer` with the bytes that begin at `offset`.
    ///
    /// - Throws: `FileError.changed` where the file was shortened meanwhile.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
        var filled = 0
        while filled < buffer.count {
            guard let base = buffer.baseAddress else { return }
            let taken = pread(descriptor, base + filled, buffer.count - filled, off_t(offset + filled))
            if taken < 0, errno == EINTR { continue }
            if taken < 0 { throw .unreadable(path: path, reason: lastErrorText()) }
            if taken == 0 { throw .changed(path: path) }
            filled += taken
        }
    }
}
