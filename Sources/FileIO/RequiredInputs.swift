import Foundation
import Glibc

/// Fails, before anything is written, if replacing what stands at `output` would delete one of the inputs: if it is the
/// output itself, by whatever path, or lies below it.
///
/// An input that is not there is passed over: whoever reads it says so.
///
/// - Throws: `FileError.holdsInput`, or `FileError.noName` if nothing can be written under the output's name.
package func requireInputs(_ inputs: [String], outside output: String) throws(FileError) {
    try requireName(output)
    guard let target = entryPath(output) else { return }
    for input in inputs where entryExists(input) {
        // Where a link leads, and the link itself: to lose either is to lose what was named.
        for place in [entryPath(input), resolvedPath(input)] {
            if let place, place == target || place.hasPrefix(target + "/") {
                throw .holdsInput(path: output, input: input)
            }
        }
    }
}

/// Fails, before anything is written, if what stands at `directory` holds anything and not the entry `mark`, which each of
/// our outputs has: nobody asked for a directory of their own to be deleted.
///
/// - Throws: `FileError.notAnOutput`.
package func requireMark(_ mark: String, in directory: String) throws(FileError) {
    guard entryExists(directory), !entryExists(directory + "/" + mark) else { return }
    // Nil for what is no directory: a file would be lost too.
    let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
    if names?.isEmpty != true { throw .notAnOutput(path: directory, mark: mark) }
}

/// Fails if nothing is at `path`.
///
/// - Throws: `FileError.missing`.
package func requireExisting(_ path: String) throws(FileError) {
    guard access(path, F_OK) == 0 || errno != ENOENT else { throw .missing(path: path) }
}

/// Fails if a path ends in no name that an entry can be given: what `.` and `..` stand for cannot be replaced.
///
/// - Throws: `FileError.noName`.
func requireName(_ path: String) throws(FileError) {
    if ["", ".", ".."].contains(splitPath(path).name) { throw .noName(path: path) }
}

/// The path from the root with every link followed; nil if nothing is there.
private func resolvedPath(_ path: String) -> String? {
    guard let text = realpath(path, nil) else { return nil }
    defer { free(text) }
    return String(cString: text)
}

/// The path from the root of the entry itself: a link at its end is not followed. Nil if there is no such directory.
private func entryPath(_ path: String) -> String? {
    let (directory, name) = splitPath(path)
    if ["", ".", ".."].contains(name) { return resolvedPath(path) }
    return resolvedPath(directory).map { $0 == "/" ? "/\(name)" : "\($0)/\(name)" }
}
