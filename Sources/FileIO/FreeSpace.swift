import Glibc

/// The bytes that this process can still write on the file system of a path; nil where that cannot be known.
public func freeBytes(at path: String) -> Int? {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { return nil }
    let (bytes, overflow) = Int(clamping: information.f_bavail)
        .multipliedReportingOverflow(by: Int(clamping: information.f_frsize))
    return overflow ? Int.max : bytes
}

/// Fails before any work is done if fewer than so many bytes are free where `path` is to be written.
///
/// - Parameter existing: A path on the same file system that is there already.
/// - Throws: `FileError.noSpace`.
package func requireSpace(_ needed: Int, for path: String, at existing: String) throws(FileError) {
    if let free = freeBytes(at: existing), free < needed { throw .noSpace(path: path, needed: needed, free: free) }
}

/// As `requireSpace(_:for:at:)`, for a file whose directory is there already.
package func requireSpace(_ needed: Int, for path: String) throws(FileError) {
    try requireSpace(needed, for: path, at: splitPath(path).directory)
}

/// A number of bytes as people say it: `17 bytes`, `4.2 MB`, `13.8 GB`; decimal and cut off, not rounded.
public func byteText(_ bytes: Int) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")]
    guard let (unit, name) = units.first(where: { bytes >= $0.0 }) else { return "\(bytes) bytes" }
    let tenths = (bytes / unit, bytes % unit / (unit / 10))
    return "\(tenths.0).\(tenths.1) \(name)"
}
