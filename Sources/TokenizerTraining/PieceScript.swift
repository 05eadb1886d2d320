import UnicodeText

/// The script of a character as SentencePiece's piece rules see it.
///
/// SentencePiece carries the Unicode 9.0 script table: what was assigned later counts as Common, and kana counts as Han.
struct PieceScript: Equatable {
    private var code: Int32

    /// Stands for "no script yet" and for digits that split nothing.
    static let any = PieceScript(code: -2)
    /// Takes the script of what comes before.
    static let inherited = PieceScript(code: UnicodeScript.inherited)

    private init(code: Int32) {
        self.code = code
    }

    init(of scalar: UInt32) {
        let script = unicode9Script(of: scalar)
        let isKana = script == UnicodeScript.hiragana || script == UnicodeScript.katakana
        // U+30FC, the mark of a long vowel, is Common in the table.
        code = isKana || scalar == 0x30FC ? UnicodeScript.han : script
    }
}

private func unicode9Script(of scalar: UInt32) -> Int32 {
    if UnicodeScript.age(of: scalar) > (9, 0) { return UnicodeScript.common }
    if let range = changedSinceUnicode9.first(where: { $0.scalars.contains(scalar) }) { return range.script }
    return UnicodeScript.script(of: scalar)
}

/// Characters whose script changed after Unicode 9.0, with what it was then (found by comparing the two tables).
private let changedSinceUnicode9: [(scalars: ClosedRange<UInt32>, script: Int32)] = [
    (0x0589...0x0589, UnicodeScript.common),
    (0x061C...0x061C, UnicodeScript.common),
    (0x0953...0x0954, UnicodeScript.devanagari),
]
