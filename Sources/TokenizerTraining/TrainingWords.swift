/// The stretches of text that a unigram model is fitted to, each once with its frequency, as places in a text.
struct TrainingWords {
    struct Word {
        var start: Int32
        var length: Int32
        var frequency: Int64
    }

    private(set) var words: [Word] = []

    /// Sentences as they are, or cut at spaces: then equal words are counted, the most frequent first, equal ones by
    /// bytes.
    init(_ text: SymbolText, rules: PieceRules) {
        if rules.splitsByWhitespace {
            var counter = WordCounter(text)
            forEachSentence(of: text) { sentence, frequency in
                forEachWord(of: sentence, in: text, rules: rules) { counter.add($0, frequency) }
            }
            words = counter.sorted()
        } else {
            forEachSentence(of: text) { sentence, frequency in
                words.append(
                    Word(start: Int32(sentence.lowerBound), length: Int32(sentence.count), frequency: frequency))
            }
        }
    }

    /// Characters of all words.
    var characterCount: Int { words.reduce(0) { $0 + Int($1.length) } }
}

private func forEachSentence(of text: SymbolText, _ body: (Range<Int>, Int64) -> Void) {
    var start = 0
    var number = 0
    for index in 0..<text.symbols.count where text.symbols[index] == SymbolText.end {
        body(start..<index, text.frequency(ofSentence: number))
        start = index + 1
        number += 1
    }
}

/// Cuts a sentence at its spaces, which begin words, or end them in the suffix mode; where pieces of spaces alone are
/// allowed, a run of spaces stays together.
private func forEachWord(of sentence: Range<Int>, in text: SymbolText, rules: PieceRules, _ body: (Range<Int>) -> Void)
{
    let space = text.alphabet.number(of: PieceRules.space)
    let hasSpaces = text.alphabet.scalars[Int(space)] == PieceRules.space
    var start = sentence.lowerBound
    var previousIsSpace = true
    for index in sentence {
        let isSpace = hasSpaces && text.symbols[index] == space
        let cuts =
            if index == sentence.lowerBound {
                false
            } else if rules.treatsWhitespaceAsSuffix {
                rules.allowsWhitespaceOnly ? previousIsSpace && !isSpace : previousIsSpace
            } else {
                isSpace && !(previousIsSpace && rules.allowsWhitespaceOnly)
            }
        if cuts {
            body(start..<index)
            start = index
        }
        previousIsSpace = isSpace
    }
    if start < sentence.upperBound { body(start..<sentence.upperBound) }
}

/// Counts equal stretches of a text.
private struct WordCounter {
    private let symbols: UnsafePointer<Int32>
    private let text: SymbolText
    private var words: [TrainingWords.Word] = []
    /// Open addressing: a word's number plus one, or zero.
    private var slots = [Int32](repeating: 0, count: 1 << 12)

    init(_ text: SymbolText) {
        self.text = text
        symbols = UnsafePointer(text.symbols.pointer)
    }

    mutating func add(_ range: Range<Int>, _ frequency: Int64) {
        let slot = slot(of: range)
        if slots[slot] != 0 {
            words[Int(slots[slot]) - 1].frequency += frequency
            return
        }
        words.append(
            TrainingWords.Word(start: Int32(range.lowerBound), length: Int32(range.count), frequency: frequency))
        slots[slot] = Int32(words.count)
        if words.count * 2 > slots.count { grow() }
    }

    private func slot(of range: Range<Int>) -> Int {
        let mask = slots.count - 1
        var state = UInt64(range.count)
        for index in range {
            state = (state ^ UInt64(UInt32(bitPattern: symbols[index]))) &* 0x9E37_79B9_7F4A_7C15
            state ^= state >> 29
        }
        var slot = Int(truncatingIfNeeded: state >> 8) & mask
        while slots[slot] != 0 {
            let word = words[Int(slots[slot]) - 1]
            if Int(word.length) == range.count, isEqual(Int(word.start), range.lowerBound, range.count) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func isEqual(_ left: Int, _ right: Int, _ count: Int) -> Bool {
        for offset in 0..<count where symbols[left + offset] != symbols[right + offset] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        for (index, word) in words.enumerated() {
            let start = Int(word.start)
            slots[slot(of: start..<start + Int(word.length))] = Int32(index + 1)
        }
    }

    consuming func sorted() -> [TrainingWords.Word] {
        let symbols = symbols
        slots = []
        words.sort { left, right in
            if left.frequency != right.frequency { return left.frequency > right.frequency }
            for offset in 0..<Int(min(left.length, right.length)) {
                let (first, second) = (symbols[Int(left.start) + offset], symbols[Int(right.start) + offset])
                if first != second { return first < second }
            }
            return left.length < right.length
        }
        return words
    }
}
