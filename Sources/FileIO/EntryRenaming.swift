import Glibc

/// What a rename does with what stands under the new name already.
enum RenameRule: UInt32 {
    /// Fails with EEXIST, and leaves it.
    case keepsExisting = 1
    /// Gives it the old name: no moment passes without an entry under the new one.
    case exchanges = 2
}

/// renameat2(2), which Swift's Glibc does not show.
private typealias RenameFunction =
    @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, UInt32) -> CInt

private let renameFunction: RenameFunction? = dlsym(nil, "renameat2").map {
    // The C library's declaration of that name has this type.
    unsafeBitCast($0, to: RenameFunction.self)
}

/// Renames an entry, or returns -1 with `errno` set: to ENOSYS or EINVAL where the system knows no such rule.
func renameEntry(_ old: String, _ new: String, _ rule: RenameRule) -> CInt {
    guard let renameFunction else {
        errno = ENOSYS
        return -1
    }
    return renameFunction(AT_FDCWD, old, AT_FDCWD, new, rule.rawValue)
}

/// Whether a failed `renameEntry` may succeed as a plain rename: some network file systems know no rules.
func lacksRenameRules(_ error: CInt) -> Bool {
    [EINVAL, ENOSYS, ENOTSUP].contains(error)
}

/// Whether there is an entry of this name, a symbolic link that leads nowhere too.
func entryExists(_ path: String) -> Bool {
    var information = stat()
    return lstat(path, &information) == 0
}
