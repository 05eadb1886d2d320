import Glibc

/// Which file stood under a name, and when it was last written: two equal values mean that nobody wrote between.
package struct FileIdentity: Sendable, Equatable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    package init(_ path: String) throws(FileError) {
        var information = stat()
        guard stat(path, &information) == 0 else {
            throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: lastErrorText())
        }
        device = UInt(information.st_dev)
        inode = UInt(information.st_ino)
        size = Int(information.st_size)
        seconds = information.st_mtim.tv_sec
        nanoseconds = information.st_mtim.tv_nsec
    }
}
