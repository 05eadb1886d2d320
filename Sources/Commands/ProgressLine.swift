import ArgumentParser
import Foundation
package import Partitioning

/// How progress is shown on standard error.
package enum ProgressStyle: String, ExpressibleByArgument, CaseIterable {
    case auto, plain, json, none
}

package struct ProgressOptions: ParsableArguments {
    @Option(help: "Progress on standard error: auto (a line that rewrites itself on a terminal), plain, json or none.")
    package var progress = ProgressStyle.auto

    package init() {}

    /// The handler that draws it.
    package func handler() -> ProgressHandler {
        let line = ProgressLine(style: progress)
        return { line.show($0) }
    }
}

/// Draws progress: at most ten times a second on a terminal, once every five seconds elsewhere, and at each stage's end.
private final class ProgressLine: @unchecked Sendable {
    private let style: ProgressStyle
    private let isTerminal: Bool
    private let lock = NSLock()
    private var stage = ""
    private var stageStart = Date()
    /// What was done before the stage's first report: a resumed run does not begin at zero.
    private var stageBase = 0
    private var lastShown = Date.distantPast

    init(style: ProgressStyle) {
        isTerminal = isatty(STDERR_FILENO) == 1
        self.style = style
    }

    func show(_ update: ProgressUpdate) {
        if style == .none { return }
        lock.withLock { draw(update) }
    }

    private func draw(_ update: ProgressUpdate) {
        let now = Date()
        if update.stage != stage {
            stage = update.stage
            stageStart = now
            stageBase = update.completed
            lastShown = .distantPast
        }
        let rewrites = style == .auto && isTerminal
        let isLast = update.completed == update.total
        guard isLast || now.timeIntervalSince(lastShown) >= (rewrites ? 0.1 : 5) else { return }
        lastShown = now
        let text = style == .json ? json(update, now) : line(update, now)
        // \r to the line's start, ESC[K clears the rest of the older text.
        let framed = rewrites ? "\r\u{1B}[K" + text + (isLast ? "\n" : "") : text + "\n"
        try? FileHandle.standardError.write(contentsOf: Data(framed.utf8))
    }

    private func line(_ update: ProgressUpdate, _ now: Date) -> String {
        var parts = [update.stage]
        if let total = update.total {
            parts.append("\(update.completed) of \(total)")
            if let left = secondsLeft(update, now) { parts.append("\(duration(left)) left") }
        } else {
            parts.append("\(update.completed)")
        }
        if let note = update.note { parts.append(note) }
        return parts.joined(separator: " · ")
    }

    private func json(_ update: ProgressUpdate, _ now: Date) -> String {
        var value: [String: Any] = ["stage": update.stage, "completed": update.completed]
        value["total"] = update.total
        value["note"] = update.note
        value["seconds_left"] = secondsLeft(update, now).map { Int($0) }
        let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private func secondsLeft(_ update: ProgressUpdate, _ now: Date) -> Double? {
        if let known = update.secondsLeft { return known }
        let done = update.completed - stageBase
        guard let total = update.total, done > 0, update.completed < total else { return nil }
        return now.timeIntervalSince(stageStart) / Double(done) * Double(total - update.completed)
    }
}

/// Seconds as people say them: `8 s`, `3 min 05 s`, `2 h 10 min`.
func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(String(format: "%02d", whole % 60)) s" }
    return "\(whole / 3600) h \(String(format: "%02d", whole / 60 % 60)) min"
}
