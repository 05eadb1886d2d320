import FileIO
import Foundation
public import OrderedJSON

/// What `kuoci.json` says beside every output: how it came to be.
public struct Manifest: Sendable {
    public static let fileName = "kuoci.json"
    /// This version of Kuoci.
    public static let version = "0.1.0"

    /// The command as it was typed, program name first.
    public var command: [String]
    /// The options as resolved, defaults included.
    public var options: JSONValue
    /// The files read, in the order they were named.
    public var inputs: [String]
    /// What else is worth keeping: counts, hashes, measures.
    public var results: JSONValue
    /// The SHA-256 of inputs that were hashed while they were read, by path; they are not read again.
    public var knownHashes: [String: String] = [:]
    /// Inputs that are not read at all, since the output is the very same file; their hash is null.
    public var unreadInputs: Set<String> = []
    /// The inputs as they stood when they were opened, for those that must not change meanwhile.
    private var identities: [String: FileIdentity] = [:]

    public init(
        command: [String] = CommandLine.arguments, options: JSONValue = [:], inputs: [String] = [],
        results: JSONValue = [:]
    ) {
        self.command = command
        self.options = options
        self.inputs = inputs
        self.results = results
    }

    /// The manifest that remembers which files the inputs are now: if one is another by the time of `json()`, or was
    /// written meanwhile, that throws.
    public func holdingInputs() throws -> Manifest {
        var manifest = self
        for path in inputs { manifest.identities[path] = try FileIdentity(path) }
        return manifest
    }

    /// The manifest with the size and SHA-256 of each input. No time stamps: same inputs, same bytes.
    ///
    /// - Throws: `FileError.changed` for an input that is not what `holdingInputs` saw.
    public func json() throws -> JSONValue {
        let program = command.first.map { ($0 as NSString).lastPathComponent } ?? "kuoci"
        let described = try inputs.map(describe)
        for path in inputs {
            if let identity = identities[path], try FileIdentity(path) != identity {
                throw FileError.changed(path: path)
            }
        }
        return [
            "kuoci": .string(Self.version),
            "command": .strings([program] + command.dropFirst()),
            "options": options,
            "inputs": .array(described),
            "results": results,
        ]
    }

    private func describe(_ path: String) throws -> JSONValue {
        let file = try MappedFile(path)
        let hash = unreadInputs.contains(path) ? nil : knownHashes[path] ?? SHA256.hexDigest(of: file)
        return [
            "path": .string(path),
            "bytes": .integer(file.count),
            "sha256": hash.map { .string($0) } ?? .null,
        ]
    }

    public func write(to directory: String) throws {
        try writeFile(directory + "/" + Self.fileName, try json().utf8(.pretty) + [0x0A])
    }
}
