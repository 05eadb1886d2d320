import UnicodeText

/// Which characters new pieces may hold, by their writing system.
struct ScriptFilter: Sendable {
    private let scripts: [Script]
    private let allowsPunctuation: Bool

    /// With any script of East Asia its punctuation is allowed, since no other text has it: the ideographic marks and
    /// brackets, and the full-width, small and vertical forms of others.
    init(_ scripts: [Script]) {
        self.scripts = scripts
        let eastAsian: [Script] = [.han, .kana, .bopomofo, .hangul]
        allowsPunctuation = scripts.contains { eastAsian.contains($0) }
    }

    func contains(_ scalar: UInt32) -> Bool {
        if allowsPunctuation, Self.punctuation.contains(where: { $0.contains(scalar) }) { return true }
        return Unicode.Scalar(scalar).map { scripts.contains($0.script) } ?? false
    }

    /// Not U+3000, which is a space.
    private static let punctuation: [ClosedRange<UInt32>] = [
        0x3001...0x3003, 0x3008...0x301F, 0x3030...0x3030, 0xFE10...0xFE19, 0xFE30...0xFE52, 0xFE54...0xFE66,
        0xFE68...0xFE6B, 0xFF01...0xFF0F, 0xFF1A...0xFF20, 0xFF3B...0xFF40, 0xFF5B...0xFF65, 0xFFE0...0xFFE6,
    ]
}
