// Numbers, and values that mean nothing.
extension JSONReader {
    /// The number that begins here, as it is spelled.
    mutating func readNumber() throws(JSONError) -> String {
        let spelling = try scanNumber()
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[spelling]), as: UTF8.self)
    }

    /// The number that begins here; nil if it has a sign, a point or an exponent, or does not fit.
    package mutating func readNatural() throws(JSONError) -> Int? {
        var value = 0
        var fits = true
        for place in try scanNumber() {
            let byte = bytes[place]
            guard fits, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (product, isLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            fits = !isLarge && !isLarger
            value = sum
        }
        return fits ? value : nil
    }

    /// Goes past the next value, whatever it is.
    ///
    /// - Returns: Whether every number in it is one that a `Double` can come near.
    /// - Throws: Also if an object in it has a key twice.
    @discardableResult
    package mutating func skipValue() throws(JSONError) -> Bool {
        switch try nextKind() {
        case .null: try readNull()
        case .bool: _ = try readBool()
        case .string: try skipString()
        case .number: return isDouble(try scanNumber())
        case .array: return try skipElements()
        case .object: return try skipMembers()
        }
        return true
    }

    private mutating func skipElements() throws(JSONError) -> Bool {
        var areDoubles = true
        var list = beginList()
        while try advance(&list) {
            if try !skipValue() { areDoubles = false }
        }
        return areDoubles
    }

    private mutating func skipMembers() throws(JSONError) -> Bool {
        var areDoubles = true
        var keys = spareTables.popLast() ?? NameTable()
        defer {
            keys.removeAll()
            spareTables.append(keys)
        }
        var list = beginList()
        while try advance(&list) {
            _ = try readKey(&keys)
            if try !skipValue() { areDoubles = false }
        }
        return areDoubles
    }

    private func isDouble(_ spelling: Range<Int>) -> Bool {
        // So few digits without an exponent are below 1e308, the last power of ten.
        if spelling.count <= 300, !bytes[spelling].contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) { return true }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[spelling]), as: UTF8.self)
        return Double(text)?.isFinite ?? false
    }

    private mutating func scanNumber() throws(JSONError) -> Range<Int> {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try skipDigits() }
        if current == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        return start..<position
    }

    private mutating func skipDigits() throws(JSONError) {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        if position == start { throw failure("a digit was expected") }
    }
}
