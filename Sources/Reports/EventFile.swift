import FileIO
import Foundation

/// A number under a name, as TensorBoard draws it: what stands before the first `/` of the tag groups the plots.
package struct Scalar: Sendable, Equatable {
    package var tag: String
    package var value: Float

    package init(_ tag: String, _ value: Double) {
        self.tag = tag
        self.value = Float(value)
    }
}

/// A TensorBoard event file, which a resumed run cuts back to where its checkpoint stood.
///
/// The same steps and tags take the same bytes, whatever the numbers and times: what a resumed run writes again comes
/// to stand where it stood, so that a TensorBoard that is reading the file can read on, and no step is there twice.
package final class EventFile {
    private var file: GrowingFile

    package var path: String { file.path }
    /// Bytes in the file.
    package var length: Int { file.length }

    private static let prefix = "events.out.tfevents."

    /// Opens the event file of a directory and cuts it to `length` bytes; where there is none, or a shorter one, the
    /// events begin anew.
    package init(directory: String, length: Int) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw FileError.unwritable(path: directory, reason: error.localizedDescription)
        }
        var file = try GrowingFile(directory + "/" + Self.name(in: directory))
        try file.cut(to: file.length < length ? 0 : length)
        if file.length == 0 { try file.append(EventMessage(fileVersionAt: now()).record) }
        self.file = file
    }

    /// The file that is there, or the name that TensorBoard gives one.
    private static func name(in directory: String) -> String {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        if let found = names.filter({ $0.hasPrefix(prefix) }).max() { return found }
        let host = ProcessInfo.processInfo.hostName.filter { $0 != "/" }
        return prefix + String(Int(now())) + "." + host
    }

    package func append(step: Int, _ scalars: [Scalar]) throws {
        try file.append(EventMessage(step: step, time: now(), scalars: scalars).record)
    }

    /// Makes what was appended durable.
    package func synchronize() throws {
        try file.synchronize()
    }
}

private func now() -> Double { Date().timeIntervalSince1970 }
