import PieceModel
import Tokenizers
import UnicodeText

/// What becomes of a line of the corpus before training: which lines count, and their normalized text.
struct SentencePreparation: Sendable {
    private let normalizer: Normalizer
    private let isTabSeparated: Bool
    private let longestSentence: Int
    private let specialTrie: DoubleArrayTrie?
    private let beginsSpecial: [Bool]
    private let delimiter: [UInt8]

    /// What a line is good for.
    enum Verdict {
        /// A sentence that occurs `frequency` times.
        case use(UnsafeBufferPointer<UInt8>, frequency: Int64)
        case empty
        case tooLong
        /// It holds ▅, which stands for unknown characters during training.
        case reserved
        /// Not what the input format asks for.
        case malformed(reason: String)
    }

    init(specification: Sentencepiece_TrainerSpec, normalizer: Normalizer, special: SpecialPieces) {
        self.normalizer = normalizer
        isTabSeparated = specification.inputFormat == "tsv"
        longestSentence = Int(specification.maxSentenceLength)
        let pieces = special.byID.values.map { Array($0.piece.utf8) }.filter { !$0.contains(0) }
        specialTrie = pieces.isEmpty ? nil : DoubleArrayTrie(keys: pieces)
        var begins = [Bool](repeating: false, count: 256)
        for piece in pieces { begins[Int(piece[0])] = true }
        beginsSpecial = begins
        delimiter = Array(specification.pretokenizationDelimiter.utf8)
    }

    func verdict(on line: UnsafeBufferPointer<UInt8>) -> Verdict {
        var text = line
        var frequency: Int64 = 1
        if isTabSeparated {
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
            guard fields.count == 2 else { return .malformed(reason: "is not: word, tab, frequency") }
            guard let count = wholeNumber(fields[1]), count >= 1 else {
                return .malformed(reason: "has a frequency that is no whole number from 1 on")
            }
            text = UnsafeBufferPointer(rebasing: fields[0])
            frequency = count
        }
        if text.isEmpty { return .empty }
        if text.count > longestSentence { return .tooLong }
        return containsReserved(text) ? .reserved : .use(text, frequency: frequency)
    }

    private func containsReserved(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        for index in line.indices where line[index] == 0x85 && index >= 2 {
            if line[index - 1] == 0x96, line[index - 2] == 0xE2 { return true }
        }
        return false
    }

    /// The normalized sentence; special pieces and delimiters in it are boundary characters.
    func normalize(_ line: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let text = replacingSpecial(normalizer.normalize(line))
        return delimiter.isEmpty ? text : replacing(delimiter, in: text)
    }

    private func replacingSpecial(_ text: [UInt8]) -> [UInt8] {
        guard let specialTrie, text.contains(where: { beginsSpecial[Int($0)] }) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { text in
            var index = 0
            while index < text.count {
                if beginsSpecial[Int(text[index])], let match = specialTrie.longestPrefix(of: text, from: index) {
                    result.append(UInt8(PieceRules.boundary))
                    index += match.length
                } else {
                    let length = min(UTF8Scalars.announcedLength(text[index]), text.count - index)
                    result.append(contentsOf: text[index..<index + length])
                    index += length
                }
            }
        }
        return result
    }
}

/// Every `pattern`, from left to right, becomes a boundary character.
private func replacing(_ pattern: [UInt8], in text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
        if text[index...].starts(with: pattern) {
            result.append(UInt8(PieceRules.boundary))
            index += pattern.count
        } else {
            result.append(text[index])
            index += 1
        }
    }
    return result
}

/// A number as sentencepiece reads a frequency: blanks around it and a sign are let pass.
private func wholeNumber(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    var digits = text.drop(while: isBlank)
    while let last = digits.last, isBlank(last) { digits.removeLast() }
    return Int64(String(decoding: digits, as: UTF8.self))
}
