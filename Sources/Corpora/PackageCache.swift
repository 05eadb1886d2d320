public import FileIO
import Foundation
public import Partitioning

/// A directory of Debian packages, fetched by apt-get and unpacked by dpkg-deb and tar.
public struct PackageCache: Sendable {
    public let directory: String

    public init(_ directory: String) throws(FileError) {
        self.directory = directory
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(path: directory, reason: error.localizedDescription)
        }
    }

    /// The cached file of a package, whatever its version; the last by name if there are several.
    public func file(of package: String) -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasPrefix(package + "_") && $0.hasSuffix(".deb") }.max().map { "\(directory)/\($0)" }
    }

    /// Fetches what is not there yet and returns the packages that apt does not know or cannot fetch.
    ///
    /// - Throws: `CorpusError.noPackages` if none at all can be had.
    public func fetch(_ packages: [String], progress: ProgressHandler = { _ in }) throws -> [String] {
        let absent = packages.filter { file(of: $0) == nil }
        var known = try absent.filter(isKnownToApt)
        // A fresh machine may have empty package lists; only root may fill them.
        if known.isEmpty, !absent.isEmpty, geteuid() == 0 {
            try run("apt-get", ["update", "-qq"])
            known = try absent.filter(isKnownToApt)
        }
        for (index, package) in known.enumerated() {
            progress(.init(stage: "fetching", completed: index, total: known.count, note: package))
            try fetch(package)
        }
        if !known.isEmpty { progress(.init(stage: "fetching", completed: known.count, total: known.count)) }
        let missing = packages.filter { file(of: $0) == nil }
        if missing.count == packages.count {
            throw CorpusError.noPackages(names: packages, reason: "apt does not know them, or there is no network")
        }
        return missing
    }

    private func isKnownToApt(_ package: String) throws -> Bool {
        try run("apt-cache", ["show", "--no-all-versions", package]) == 0
    }

    private func fetch(_ package: String) throws {
        // Into a directory of its own first: a package is in the cache only when it is whole.
        let manager = FileManager.default
        let temporary = "\(directory)/.fetching-\(package)"
        try? manager.removeItem(atPath: temporary)
        try manager.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: temporary) }
        // Its unprivileged user may not be able to write there.
        let status = try run("apt-get", ["download", "-qq", "-o", "APT::Sandbox::User=root", package], in: temporary)
        guard status == 0 else { return }
        for name in try manager.contentsOfDirectory(atPath: temporary) where name.hasSuffix(".deb") {
            try manager.moveItem(atPath: "\(temporary)/\(name)", toPath: "\(directory)/\(name)")
        }
    }

    /// The directory that holds a package's files, unpacked if it is not yet.
    public func unpack(_ package: String) throws -> String? {
        guard let file = file(of: package) else { return nil }
        let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        let target = "\(directory)/unpacked/\(name)"
        let manager = FileManager.default
        if manager.fileExists(atPath: target) { return target }
        let temporary = "\(directory)/unpacked/.\(name)"
        try? manager.removeItem(atPath: temporary)
        try manager.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        let script = "set -o pipefail; dpkg-deb --fsys-tarfile \"$1\" | tar -x -C \"$2\" \(exclusions)"
        guard try run("bash", ["-c", script, "unpack", file, temporary]) == 0 else {
            try? manager.removeItem(atPath: temporary)
            throw CorpusError.damagedPackage(path: file, reason: "dpkg-deb failed")
        }
        try manager.moveItem(atPath: temporary, toPath: target)
        return target
    }
}

/// Pictures, books and fonts are most of the packages' size and hold no text that we read.
private let exclusions = ["png", "jpg", "gif", "svg", "xpm", "pdf", "epub", "ttf", "woff", "woff2", "ods", "ly", "js"]
    .map { "--exclude='*.\($0)'" }.joined(separator: " ")

/// Runs a program of the system, its output dropped, and returns its exit status.
@discardableResult
private func run(_ program: String, _ arguments: [String], in directory: String? = nil) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
        throw FileError.unreadable(path: program, reason: error.localizedDescription)
    }
    process.waitUntilExit()
    return process.terminationStatus
}
