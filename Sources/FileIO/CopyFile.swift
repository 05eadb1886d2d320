internal import CLinux
import Glibc

/// Copies a file's bytes to a new file and syncs it, in the fastest way that the file system has: blocks shared by both,
/// a copy that the kernel makes, or bytes read and written.
///
/// - Throws: `FileError.alreadyExists` if `destination` is there.
public func copyFile(from source: String, to destination: String) throws(FileError) {
    _ = try makeFile(at: destination, from: source) { (input, output, count) throws(FileError) in
        if ioctl(output, shareBlocks, input) == 0 { return true }
        let copied = copyInKernel(from: input, to: output, count: count)
        try copyBytes(from: input, to: output, offset: copied, count: count, source, destination)
        return true
    }
}

/// Makes a new file that shares all blocks with another, which takes no time and no room.
///
/// - Returns: False, and nothing is there, if the file system cannot do that.
package func cloneFile(from source: String, to destination: String) throws(FileError) -> Bool {
    try makeFile(at: destination, from: source) { (input, output, _) throws(FileError) in
        ioctl(output, shareBlocks, input) == 0
    }
}

/// Gives a file a second name.
///
/// - Returns: False, and nothing is there, if the file system cannot do that, as between two of them.
package func linkFile(from source: String, to destination: String) throws(FileError) -> Bool {
    // The file itself, where `source` is a symbolic link, as in Hugging Face's cache.
    if linkat(AT_FDCWD, source, AT_FDCWD, destination, Int32(AT_SYMLINK_FOLLOW)) == 0 { return true }
    switch errno {
    case EEXIST: throw .alreadyExists(path: destination)
    case ENOENT: throw .missing(path: source)
    default: return false
    }
}

/// Opens both files, has `fill` fill the new one and syncs it; removes it again if that fails or gives false.
private func makeFile(
    at destination: String, from source: String,
    fill: (_ input: Int32, _ output: Int32, _ count: Int) throws(FileError) -> Bool
) throws(FileError) -> Bool {
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
        guard try fill(input, output, Int(information.st_size)) else {
            unlink(destination)
            return false
        }
        guard fsync(output) == 0 else { throw .unwritable(path: destination, reason: lastErrorText()) }
        return true
    } catch {
        unlink(destination)
        throw error
    }
}

/// FICLONE of linux/fs.h, a macro that Swift does not see: `_IOW(0x94, 9, int)`.
private let shareBlocks: UInt = 0x4004_9409

/// Has the kernel, or a file server, copy the bytes; how many it did, which is 0 where it cannot.
private func copyInKernel(from input: Int32, to output: Int32, count: Int) -> Int {
    var (inputOffset, outputOffset) = (Int64(0), Int64(0))
    while Int(inputOffset) < count {
        let copied = copy_file_range(input, &inputOffset, output, &outputOffset, count - Int(inputOffset), 0)
        if copied < 0, errno == EINTR { continue }
        if copied <= 0 { break }
    }
    return Int(outputOffset)
}

private func copyBytes(
    from input: Int32, to output: Int32, offset: Int, count: Int, _ source: String, _ destination: String
) throws(FileError) {
    // Explicit places were copied from and to before: the files' own positions still stand at their beginnings.
    lseek(input, off_t(offset), SEEK_SET)
    lseek(output, off_t(offset), SEEK_SET)
    var left = count - offset
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
