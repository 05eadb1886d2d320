import Glibc

/// The right to write one output: a lock on a hidden file beside it, which goes when the value or the process does.
///
/// Its name begins as those of temporary siblings do, so that whoever removes these removes one that a killed process left.
struct OutputLock: ~Copyable {
    /// Whether others are kept out; not so on a file system without locks.
    let isHeld: Bool
    private let path: String
    private let descriptor: CInt

    /// - Throws: `FileError.busy` if another process, or another value, is writing `output`.
    init(for output: String) throws(FileError) {
        path = temporaryPrefix(of: output) + "lock"
        var holder: CInt = -1
        while holder < 0 {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw .unwritable(path: output, reason: lastErrorText()) }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                let isTaken = errno == EWOULDBLOCK
                close(descriptor)
                if isTaken { throw .busy(path: output) }
                break
            }
            // Its last holder may have removed the file between our opening and our locking it.
            if isEntry(path, descriptor) { holder = descriptor } else { close(descriptor) }
        }
        descriptor = holder
        isHeld = holder >= 0
        if isHeld { TemporaryPaths.add(path) }
    }

    deinit {
        guard isHeld else { return }
        TemporaryPaths.remove(path)
        unlink(path)
        close(descriptor)
    }
}

/// Whether the open file still has this name.
private func isEntry(_ path: String, _ descriptor: CInt) -> Bool {
    var (named, opened) = (stat(), stat())
    return stat(path, &named) == 0 && fstat(descriptor, &opened) == 0
        && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino
}
