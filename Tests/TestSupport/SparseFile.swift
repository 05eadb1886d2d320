import Foundation

/// Gives a file a size without writing its bytes, which read as zeros.
public func truncateFile(_ path: String, to size: UInt64) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.truncate(atOffset: size)
    try handle.close()
}
