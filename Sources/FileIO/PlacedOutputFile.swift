internal import CLinux
import Glibc

/// A file of known size whose bytes are written at any place and in any order. It appears under its name only when it is
/// committed: written to a temporary sibling, synced, renamed.
///
/// Dropped without `commit()`, it leaves nothing behind. Different places may be written by different threads.
package final class PlacedOutputFile: Sendable {
    package let path: String
    package let byteCount: Int
    private let temporaryPath: String
    private let descriptor: Int32

    /// - Throws: `FileError.unwritable`, also where the disk has no room for so many bytes.
    package init(_ path: String, byteCount: Int) throws(FileError) {
        self.path = path
        self.byteCount = byteCount
        temporaryPath = temporarySibling(of: path)
        TemporaryPaths.add(temporaryPath)
        descriptor = openNewFile(temporaryPath, access: O_RDWR)
        guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        // Takes the room at once, so that a full disk shows before the work; not every file system can.
        if byteCount > 0, fallocate(descriptor, 0, 0, Int64(byteCount)) != 0, [ENOSPC, EFBIG, EDQUOT].contains(errno) {
            throw .unwritable(path: path, reason: lastErrorText())
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        // After `commit` nothing stands there.
        TemporaryPaths.remove(temporaryPath) { unlink($0) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        precondition(offset >= 0 && offset <= byteCount - bytes.count, "bytes beyond the file's end")
        var written = 0
        while written < bytes.count {
            guard let base = bytes.baseAddress else { break }
            let result = pwrite(descriptor, base + written, bytes.count - written, off_t(offset + written))
            if result < 0, errno == EINTR { continue }
            if result < 0 { throw .unwritable(path: path, reason: lastErrorText()) }
            written += result
        }
        // The disk starts on them now, and not when the kernel finds too much waiting.
        _ = sync_file_range(descriptor, Int64(offset), Int64(bytes.count), kuoci_begin_writing)
    }

    package func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        // Array's closure methods know no typed errors: the result carries one out.
        try bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try write(bytes, at: offset) } }.get()
    }

    /// Whether these very bytes stand there: they are read back.
    package func holds(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: min(bytes.count, 1 << 18))
        var start = 0
        while start < bytes.count {
            let count = min(buffer.count, bytes.count - start)
            let taken = buffer.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, count, off_t(offset + start))
            }
            if taken < 0, errno == EINTR { continue }
            if taken < 0 { throw .unreadable(path: path, reason: lastErrorText()) }
            guard taken > 0, let expected = bytes.baseAddress, memcmp(buffer, expected + start, taken) == 0 else {
                return false
            }
            start += taken
        }
        return true
    }

    /// Syncs the bytes and gives the file its name, in place of an older one.
    package func commit() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        guard rename(temporaryPath, path) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        syncDirectory(containing: path)
    }
}
