import UnicodeText

/// The symbols of BPE training: first the alphabet's characters, then each pair that may be merged.
struct PairSymbols {
    struct Symbol {
        /// The halves; -1 for a character.
        var left: Int32
        var right: Int32
        /// In characters.
        var length: Int32
        var frequency: Int64 = 0
        /// Its occurrences: a run of the trainer's positions, ascending. Some may have been merged otherwise since.
        var firstPosition = 0
        var positionCount: Int32 = 0
    }

    /// Code points of the characters.
    let scalars: [UInt32]
    private var symbols: [Symbol]

    init(scalars: [UInt32]) {
        self.scalars = scalars
        symbols = scalars.map { _ in Symbol(left: -1, right: -1, length: 1) }
    }

    var count: Int { symbols.count }

    @inline(__always)
    subscript(number: Int32) -> Symbol {
        get { symbols[Int(number)] }
        _modify { yield &symbols[Int(number)] }
    }

    mutating func append(_ symbol: Symbol) -> Int32 {
        symbols.append(symbol)
        return Int32(symbols.count - 1)
    }

    /// Calls `body` with the number of each character of a symbol, in order.
    @inline(__always)
    func forEachCharacter(of symbol: Int32, _ body: (Int32) -> Void) {
        if symbols[Int(symbol)].left < 0 { return body(symbol) }
        var pending = [symbol]
        while let number = pending.popLast() {
            let symbol = symbols[Int(number)]
            if symbol.left < 0 {
                body(number)
            } else {
                pending.append(symbol.right)
                pending.append(symbol.left)
            }
        }
    }

    func codePoints(of symbol: Int32) -> [UInt32] {
        var result: [UInt32] = []
        forEachCharacter(of: symbol) { result.append(scalars[Int($0)]) }
        return result
    }

    func text(of symbol: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        forEachCharacter(of: symbol) { UTF8Scalars.append(scalars[Int($0)], to: &bytes) }
        return bytes
    }

    /// The first three code points, 21 bits each: what most ties are decided by.
    func leading(of symbol: Int32) -> UInt64 {
        var key: UInt64 = 0
        var places = 3
        forEachCharacter(of: symbol) { character in
            if places == 0 { return }
            key = key << 21 | UInt64(scalars[Int(character)])
            places -= 1
        }
        return key << UInt64(21 * places)
    }

    /// Which of two equally frequent, equally long symbols comes first: by code points, which is by bytes; the older one
    /// if they are alike.
    func precedes(_ left: Int32, _ right: Int32) -> Bool {
        let leftText = codePoints(of: left)
        let rightText = codePoints(of: right)
        return leftText == rightText ? left < right : leftText.lexicographicallyPrecedes(rightText)
    }
}
