import FileIO
import Foundation

/// Lines of a file that are neither short nor long, from places spread evenly over it.
func sampleLines(of path: String, _ count: Int, characters: ClosedRange<Int> = 15...110) throws -> [String] {
    var fitting: [String] = []
    // Every `step`-th fitting line is kept; when there are twice as many as needed, every second of them.
    var step = 1
    var number = 0
    try forEachLine(of: path) { line in
        guard let text = String(validating: line, as: UTF8.self), characters.contains(text.unicodeScalars.count) else {
            return
        }
        defer { number += 1 }
        guard number % step == 0 else { return }
        fitting.append(text)
        if fitting.count >= 2 * max(1, count) {
            fitting = stride(from: 0, to: fitting.count, by: 2).map { fitting[$0] }
            step *= 2
        }
    }
    return Array(fitting.prefix(count))
}
