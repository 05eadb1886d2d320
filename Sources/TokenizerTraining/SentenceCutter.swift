import PieceModel
import Tokenizers
import UnicodeText

/// Turns a line of the corpus into the words that pieces can form in.
struct SentenceCutter: Sendable {
    private let normalizer: Normalizer
    private let rules: PieceRules
    private let longestSentence: Int
    private let specialTrie: DoubleArrayTrie?
    private let beginsSpecial: [Bool]
    /// Traits of the characters below U+10000; looked up once, since ICU is asked for each.
    private let traits: [PieceRules.Trait]

    enum Verdict { case use, skip, tooLong }

    init(specification: Sentencepiece_TrainerSpec, normalizer: Normalizer, special: SpecialPieces) {
        self.normalizer = normalizer
        let rules = PieceRules(specification)
        self.rules = rules
        longestSentence = Int(specification.maxSentenceLength)
        let pieces = special.byID.values.map { Array($0.piece.utf8) }.filter { !$0.contains(0) }
        specialTrie = pieces.isEmpty ? nil : DoubleArrayTrie(keys: pieces)
        var begins = [Bool](repeating: false, count: 256)
        for piece in pieces { begins[Int(piece[0])] = true }
        beginsSpecial = begins
        traits = (UInt32(0)..<0x10000).map { rules.trait(of: $0) }
    }

    func verdict(on line: UnsafeBufferPointer<UInt8>) -> Verdict {
        if line.isEmpty { return .skip }
        if line.count > longestSentence { return .tooLong }
        return containsReserved(line) ? .skip : .use
    }

    /// ▅ stands for unknown characters during training; lines that hold it cannot be used.
    private func containsReserved(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        for index in line.indices where line[index] == 0x85 && index >= 2 {
            if line[index - 1] == 0x96, line[index - 2] == 0xE2 { return true }
        }
        return false
    }

    /// Normalizes a line and hands on its words as UTF-8, in order.
    func forEachWord(of line: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        let normalized = replacingSpecial(normalizer.normalize(line))
        normalized.withUnsafeBufferPointer { text in
            var start = 0
            var index = 0
            var previous: PieceRules.Trait?
            while index < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: index)
                let trait = scalar < 0x10000 ? traits[Int(scalar)] : rules.trait(of: scalar)
                if let previous, !rules.mayJoin(previous, trait) {
                    body(UnsafeBufferPointer(rebasing: text[start..<index]))
                    start = index
                }
                previous = trait
                index += length
            }
            if start < text.count { body(UnsafeBufferPointer(rebasing: text[start...])) }
        }
    }

    /// Special pieces in the text become one boundary character each.
    private func replacingSpecial(_ text: [UInt8]) -> [UInt8] {
        guard let specialTrie, text.contains(where: { beginsSpecial[Int($0)] }) else { return text }
        var result: [UInt8] = []
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
