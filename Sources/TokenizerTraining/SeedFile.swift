import FileIO
import UnicodeText

/// The pieces that `--seed_sentencepieces_file` names, each with its frequency: lines of piece, tab, number.
struct SeedFile: Sendable {
    struct Entry: Sendable {
        var scalars: [UInt32]
        /// Frequency times length.
        var weight: Float
    }

    private(set) var entries: [Entry] = []

    /// Reads the file; what may not be a piece is passed over.
    ///
    /// - Throws: `FileError`, `TrainingError.malformedLine`.
    init(_ path: String, rules: PieceRules) throws {
        var number = 0
        try forEachLine(of: path) { line in
            number += 1
            entries += [try Self.entry(line, number, path)].filter { entry in
                rules.allows(entry.scalars.map { rules.trait(of: $0) })
            }
        }
    }

    private static func entry(_ line: UnsafeRawBufferPointer, _ number: Int, _ path: String) throws -> Entry {
        func fail(_ reason: String) -> TrainingError { .malformedLine(path: path, line: number, reason: reason) }
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
        guard fields.count >= 2 else { throw fail("is not a piece, a tab and its frequency") }
        let text = String(decoding: fields[1], as: UTF8.self).trimmingPrefix { $0 == " " }
        guard let frequency = Int64(text), frequency > 0 else {
            throw fail("has no positive whole number after the tab")
        }
        guard let piece = String(validating: fields[0], as: UTF8.self) else { throw fail("is not UTF-8") }
        let scalars = piece.unicodeScalars.map(\.value)
        let weight = UInt64(frequency).multipliedReportingOverflow(by: UInt64(scalars.count))
        if weight.overflow { throw fail("has too large a frequency") }
        return Entry(scalars: scalars, weight: Float(weight.partialValue))
    }
}
