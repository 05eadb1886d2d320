import Glibc

/// The bytes that this process can still write on the file system of a path; nil where that cannot be known.
public func freeBytes(at path: String) -> Int? {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { return nil }
    let (bytes, overflow) = Int(clamping: information.f_bavail)
        .multipliedReportingOverflow(by: Int(clamping: information.f_frsize))
    return overflow ? Int.max : bytes
}
