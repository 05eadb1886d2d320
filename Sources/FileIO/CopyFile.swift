import Glibc

/// Copies a file's bytes to a new file and syncs it; on file systems that can, the two share their blocks.
///
/// - Throws: `FileError.alreadyExists` if `destination` is there.
public func copyFile(from source: String, to destination: String) throws(FileError) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let input = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard input >= 0 else {
        throw errno == ENOENT ? .missing(path: source) : .unreadable(path: source, reason: lastErrorText())
    }
    defer { close(input) }
    var information = stat()
    guard fstat(input, &information) == 0 else { throw .unreadable(path: source, reason: lastErrorText()) }
    guard information.st_mode & S_IFMT == S_IFREG else {
        throw .unreadable(path: source, reason: "not a regular file")
    }
    let output = open(destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard output >= 0 else {
        throw errno == EEXIST
            ? .alreadyExists(path: destination) : .unwritable(path: destination, reason: lastErrorText())
    }
    defer { close(output) }
    do throws(FileError) {
        try copyBytes(from: input, to: output, count: Int(information.st_size), source, destination)
        guard fsync(output) == 0 else { throw .unwritable(path: destination, reason: lastErrorText()) }
    } catch {
        unlink(destination)
        throw error
    }
}

/// FICLONE of linux/fs.h, a macro that Swift does not see: `_IOW(0x94, 9, int)`.
private let shareBlocks: UInt = 0x4004_9409

private func copyBytes(
    from input: Int32, to output: Int32, count: Int, _ source: String, _ destination: String
) throws(FileError) {
    if ioctl(output, shareBlocks, input) == 0 { return }
    var left = count
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while left > 0 {
        let taken = read(input, &buffer, min(left, buffer.count))
        if taken < 0, errno == EINTR { continue }
        if taken < 0 { throw .unreadable(path: source, reason: lastErrorText()) }
        if taken == 0 { throw .unreadable(path: source, reason: "it was shortened while it was copied") }
        var sent = 0
        while sent < taken {
            let result = buffer.withUnsafeBytes { write(output, $0.baseAddress! + sent, taken - sent) }
            if result < 0, errno == EINTR { continue }
            if result < 0 { throw .unwritable(path: destination, reason: lastErrorText()) }
            sent += result
        }
        left -= taken
    }
}
