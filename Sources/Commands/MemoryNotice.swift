import Foundation
import PieceModel
import TokenizerTraining

/// A line that says how much memory training will need, by the size of its files, and how much there is.
func memoryNotice(_ specification: Sentencepiece_TrainerSpec) -> String {
    let needed = estimatedMemory(specification)
    guard let available = availableMemory() else { return "memory: about \(size(needed)) needed" }
    let advice =
        needed > available
        ? "; it may not fit: sample with --input-sentence-size, or count parts of the text with kuoci count" : ""
    return "memory: about \(size(needed)) needed, \(size(available)) available\(advice)"
}

/// Bytes that processes may still take: what the kernel and the control group leave.
private func availableMemory() -> Int? {
    let lines = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let fields = lines.first { $0.hasPrefix("MemAvailable:") }?.split(separator: " ")
    let free = fields.flatMap { $0.count > 1 ? Int($0[1]) : nil }.map { $0 * 1024 }
    func number(_ path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
    let group = "/sys/fs/cgroup/memory"
    let limits = [
        (group + ".max", group + ".current"), (group + "/memory.limit_in_bytes", group + "/memory.usage_in_bytes"),
    ]
    let left = limits.compactMap { limit, used in number(limit).map { max(0, $0 - (number(used) ?? 0)) } }
    return (left + [free].compactMap { $0 }).min()
}

private func size(_ bytes: Int) -> String {
    bytes < 1 << 30
        ? "\(max(1, bytes >> 20)) MiB" : String(format: "%.1f GiB", Double(bytes) / Double(1 << 30))
}
