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
        let path = path
        // In one step with its becoming a temporary path: whoever is asked to end in between would leave the file.
        let taken = TemporaryPaths.undisturbed { paths in
            let taken = Result { () throws(FileError) in try takeLock(path, for: output) }
            if case .success(.some) = taken { paths.insert(path) }
            return taken
        }
        let holder = try taken.get()
        descriptor = holder ?? -1
        isHeld = holder != nil
    }

    deinit {
        guard isHeld else { return }
        TemporaryPaths.remove(path) { unlink($0) }
        close(descriptor)
    }
}

/// The open and locked file; nil on a file system without locks.
private func takeLock(_ path: String, for output: String) throws(FileError) -> CInt? {
    while true {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .unwritable(path: output, reason: lastErrorText()) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let isTaken = errno == EWOULDBLOCK
            close(descriptor)
            if isTaken { throw .busy(path: output) }
            return nil
        }
        // Its last holder may have removed the file between our opening and our locking it.
        if isEntry(path, descriptor) { return descriptor }
        close(descriptor)
    }
}

/// Whether the open file still has this name.
private func isEntry(_ path: String, _ descriptor: CInt) -> Bool {
    var (named, opened) = (stat(), stat())
    return stat(path, &named) == 0 && fstat(descriptor, &opened) == 0
        && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino
}
