import FileIO
import Foundation
import OrderedJSON
import Provenance
import Reports

/// How a page came to be: the machine, what the runs ran on, commands, and files read.
struct ReportOrigin {
    let sources: [ReportSources]
    /// Files that the page itself was made of.
    let files: [String]

    func section() throws -> ReportPage.Section {
        var section = ReportPage.Section(id: "origin", "Environment and inputs")
        section.paragraphs = [machine]
        section.tables = [runs, commands, try inputs].compactMap { $0 }
        return section
    }

    private var machine: String {
        let machine = ProcessInfo.processInfo
        let name = processorName.map { " (\($0))" } ?? ""
        return "Kuoci \(Manifest.version), page made on \(machine.operatingSystemVersionString) with "
            + "\(machine.processorCount) processors\(name) and \(machine.physicalMemory >> 30) GB of memory."
    }

    /// What runs may say of what they ran on, among their options.
    private static let environment = ["stage", "device", "precision", "optimizer_state", "threads", "seed"]

    /// Of the runs that ended, what one of them says at least.
    private var runs: ReportPage.Table? {
        let runs = unique(sources.flatMap(\.runs), by: { $0.directory }).filter { $0.manifest != nil }
        func option(_ key: String, _ run: RunLog) -> String? {
            (run.manifest?["options"]?[key]).map { $0.string ?? $0.text(.line) }
        }
        let keys = Self.environment.filter { key in runs.contains { option(key, $0) != nil } }
        return table(
            "Runs", ["run", "kuoci"] + keys.map { $0.replacing("_", with: " ") },
            runs.map { run in
                [run.directory, run.manifest?["kuoci"]?.string ?? "-"] + keys.map { option($0, run) ?? "-" }
            })
    }

    private var commands: ReportPage.Table? {
        let manifests = unique(sources.flatMap(\.manifests), by: { $0.directory })
        return table("Commands", ["wrote", "command"], manifests.map { [$0.directory, $0.command] })
    }

    /// The page's own files first, then those that the commands read.
    private var inputs: ReportPage.Table? {
        get throws {
            let read = try unique(files, by: { $0 }).map { try ReportSources.Input(contentsOf: $0) }
            return table(
                "Files read", ["file", "bytes", "SHA-256 begins with"],
                unique(read + sources.flatMap(\.inputs), by: { $0 }).map {
                    [$0.path, "\($0.bytes)", String($0.hash.prefix(12))]
                })
        }
    }

    /// Nil where it would have no rows.
    private func table(_ caption: String, _ header: [String], _ rows: [[String]]) -> ReportPage.Table? {
        rows.isEmpty ? nil : ReportPage.Table(caption, header: header, rows: rows, holdsText: true)
    }
}

/// The first of those that have the same key, in their order.
private func unique<Item, Key: Hashable>(_ items: [Item], by key: (Item) -> Key) -> [Item] {
    var seen: Set<Key> = []
    return items.filter { seen.insert(key($0)).inserted }
}

/// Nil where the kernel does not tell it by name.
private var processorName: String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return (line?.split(separator: ":", maxSplits: 1).last).map { $0.trimmingCharacters(in: .whitespaces) }
}
