import FileIO
import PieceModel
import UnicodeText

/// The form in which word counts are kept between counting and training: a line each of word, tab, count.
///
/// The words are normalized and cut already. The first line says how: it holds ▅, which no usable line of a text does,
/// so other readers of such tables pass it over. ▅ also escapes what would break a line: `▅t` is a tab.
struct CountsFormat: Sendable, Equatable {
    /// Says how the words were made: counts can be added up, and trained on, where this is the same.
    let firstLine: [UInt8]

    private static let mark: [UInt8] = [0xE2, 0x96, 0x85]
    private static let escapedTab = mark + [UInt8(ascii: "t")]
    private static let opening = mark + Array("kuoci-counts 1 ".utf8)

    init(
        _ specification: Sentencepiece_TrainerSpec, _ normalizerSpecification: Sentencepiece_NormalizerSpec,
        _ special: SpecialPieces
    ) {
        let modelType = specification.modelType
        let hash = SHA256()
        hash.update(Array(normalizerSpecification.precompiledCharsmap))
        let switches: [Bool] = [
            normalizerSpecification.addDummyPrefix, normalizerSpecification.removeExtraWhitespaces,
            normalizerSpecification.escapeWhitespaces, specification.treatWhitespaceAsSuffix,
            specification.splitByUnicodeScript, specification.splitByWhitespace, specification.splitByNumber,
            specification.splitDigits, specification.allowWhitespaceOnlyPieces,
        ]
        hash.update(switches.map { $0 ? UInt8(1) : 0 })
        let texts = special.byID.values.map(\.piece).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for text in texts + [specification.pretokenizationDelimiter, "\(modelType)"] {
            hash.update(Array(text.utf8) + [0])
        }
        let digits = hash.digest().prefix(8).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        firstLine = Self.opening + Array("\(modelType) \(digits.joined())\t1\n".utf8)
    }

    /// - Parameter firstLine: as a table has it, without its LF.
    private init(firstLine: UnsafeBufferPointer<UInt8>) {
        self.firstLine = firstLine + [0x0A]
    }

    static func isFirstLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        line.starts(with: opening)
    }

    /// Whether a file holds counts, by its first line.
    static func describes(_ path: String) throws(FileError) -> Bool {
        var reader = try LineReader(path)
        do {
            return try reader.withNextLine { isFirstLine($0.bindMemory(to: UInt8.self)) } ?? false
        } catch let error as FileError {
            throw error
        } catch {
            preconditionFailure("comparing bytes throws nothing")
        }
    }

    static func line(_ word: ArraySlice<UInt8>, _ count: Int64) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(word.count + 12)
        for byte in word {
            if byte == 0x09 { line += escapedTab } else { line.append(byte) }
        }
        return line + [0x09] + Array(String(count).utf8) + [0x0A]
    }

    /// What a line of a table is.
    enum Line {
        case first(CountsFormat)
        case word([UInt8], count: Int64)
        case malformed(reason: String)
    }

    static func parse(_ line: UnsafeBufferPointer<UInt8>) -> Line {
        if isFirstLine(line) { return .first(CountsFormat(firstLine: line)) }
        guard let tab = line.lastIndex(of: 0x09), tab > 0,
            let count = Int64(String(decoding: line[(tab + 1)...], as: UTF8.self)), count > 0
        else { return .malformed(reason: "is not: word, tab, count") }
        guard firstInvalidUTF8(in: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(line)[..<tab])) == nil
        else { return .malformed(reason: "is not UTF-8") }
        return .word(unescape(line[..<tab]), count: count)
    }

    private static func unescape(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8] {
        guard text.contains(0x85) else { return Array(text) }
        var result: [UInt8] = []
        var rest = text
        while !rest.isEmpty {
            if rest.starts(with: escapedTab) {
                result.append(0x09)
                rest = rest.dropFirst(escapedTab.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
