import Glibc

/// A file that is written at its end only, over as many processes as it takes.
public struct GrowingFile: ~Copyable {
    public let path: String
    /// Bytes in the file.
    public private(set) var length: Int
    private let descriptor: Int32
    private let device: dev_t
    private let number: ino_t

    /// Opens the file, empty where there is none; its name is durable from here on.
    public init(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            let reason = lastErrorText()
            close(descriptor)
            throw .unwritable(path: path, reason: reason)
        }
        syncDirectory(containing: path)
        self.path = path
        self.descriptor = descriptor
        length = Int(information.st_size)
        device = information.st_dev
        number = information.st_ino
    }

    deinit { close(descriptor) }

    /// Drops what lies beyond `length` bytes.
    public mutating func cut(to length: Int) throws(FileError) {
        precondition((0...self.length).contains(length), "a cut makes no file longer")
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
        self.length = length
    }

    /// - Throws: `FileError.unwritable`, also where the file lost its name: nobody would find what is written.
    public mutating func append(_ bytes: [UInt8]) throws(FileError) {
        var information = stat()
        guard stat(path, &information) == 0, information.st_dev == device, information.st_ino == number else {
            throw .unwritable(path: path, reason: "it was removed or moved while it was being written")
        }
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if result < 0, errno == EINTR { continue }
            if result < 0 { throw .unwritable(path: path, reason: lastErrorText()) }
            written += result
        }
        length += bytes.count
    }

    /// Makes what was appended durable.
    public func synchronize() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw .unwritable(path: path, reason: lastErrorText()) }
    }
}
