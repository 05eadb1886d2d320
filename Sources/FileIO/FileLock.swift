import Glibc

/// An exclusive lock on a file of its own; it ends with the value, or with the process, however that ends.
package struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock at once, or is nil where another process or another value has it.
    ///
    /// The file is made where there is none, and stays: removing it would let two take the lock at once.
    package init?(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK
            let reason = lastErrorText()
            close(descriptor)
            if isTaken { return nil }
            throw .unwritable(path: path, reason: reason)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
