import UnicodeText

/// What texts are made of, whatever cuts them.
public struct TextMakeup: Sendable, Equatable {
    /// Texts that are not empty.
    public private(set) var texts = 0
    public private(set) var characters = 0
    public private(set) var bytes = 0
    /// Runs of characters that are not white space.
    public private(set) var words = 0
    /// Characters of any script, unlike digits, signs and spaces.
    public private(set) var letters = 0
    /// Those of them that are Han or kana.
    public private(set) var eastAsianLetters = 0

    public init() {}

    /// Whether words have spaces between them: not where more than half of the letters are Han or kana.
    public var isSpaced: Bool { eastAsianLetters * 2 <= letters }

    mutating func add(_ text: UnsafeBufferPointer<UInt8>) {
        texts += 1
        bytes += text.count
        var isInWord = false
        var index = 0
        while index < text.count {
            let (value, length) = UTF8Scalars.decode(text, at: index)
            index += length
            // A broken byte counts with the character before it, as its continuation bytes do.
            if text[index - length] & 0xC0 != 0x80 { characters += 1 }
            let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
            let isSpace = value < 0x80 ? (0x09...0x0D).contains(value) || value == 0x20 : scalar.properties.isWhitespace
            if !isSpace, !isInWord { words += 1 }
            isInWord = !isSpace
            let script = scalar.script
            if script != .common { letters += 1 }
            if script == .han || script == .kana { eastAsianLetters += 1 }
        }
    }

    mutating func add(_ other: TextMakeup) {
        texts += other.texts
        characters += other.characters
        bytes += other.bytes
        words += other.words
        letters += other.letters
        eastAsianLetters += other.eastAsianLetters
    }
}
