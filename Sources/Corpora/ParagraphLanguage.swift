import UnicodeText

/// The languages that a corpus is sorted into.
public enum Language: String, Sendable, CaseIterable {
    case chinese = "zh"
    /// The base language: text in Latin letters.
    case english = "en"
}

/// What a paragraph consists of, counted in characters.
struct TextShape {
    private var han = 0
    private var latinLetters = 0
    private var latinWords = 0
    private var otherLetters = 0
    private var codeSigns = 0
    /// Neither letters nor spaces nor signs of code: digits, punctuation.
    private var rest = 0
    private var isUnreadable = false
    private var isInWord = false

    /// The least that is a statement and not a button or a table cell.
    static let fewestHan = 4
    static let fewestWords = 5

    mutating func add(_ scalar: Unicode.Scalar) {
        let script = scalar.script
        if script == .latin, !isInWord { latinWords += 1 }
        isInWord = script == .latin || (isInWord && scalar == "'")
        switch script {
        case .han: han += 1
        case .latin: latinLetters += 1
        case .kana, .bopomofo, .hangul, .other: otherLetters += 1
        case .common where scalar == " ": break
        // A broken encoding; a table drawn with lines.
        case .common where scalar == "\u{FFFD}" || (0x2500...0x257F).contains(scalar.value): isUnreadable = true
        case .common where codeSignTable.contains(scalar): codeSigns += 1
        case .common: rest += 1
        }
    }

    /// The language, or nil for another one, for listings, tables, fragments and damaged text.
    var language: Language? {
        let letters = han + latinLetters
        let all = letters + codeSigns + rest
        guard !isUnreadable, otherLetters * 10 <= letters, letters * 2 >= all else { return nil }
        // A Chinese character weighs about as much as a word of Latin letters.
        if han >= Self.fewestHan, han >= latinWords, codeSigns * 6 <= all { return .chinese }
        let isEnglish = han * 10 <= latinWords && latinWords >= Self.fewestWords
        // Words of three letters and more on the average, four of five characters letters: prose and no listing.
        guard isEnglish, latinLetters >= latinWords * 3, latinLetters * 5 >= all * 4, codeSigns * 25 <= all else {
            return nil
        }
        return .english
    }
}

private let codeSignTable: Set<Unicode.Scalar> = [
    "{", "}", "[", "]", "<", ">", "=", "|", "\\", "/", "$", "#", "@", "_", "&", "^", "~", "`", "+", "*", "%",
]
