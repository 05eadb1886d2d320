/// Numbers that are not negative, seven bits to a byte: none needs more bytes than its decimal digits.
struct VariableLengthNumbers: Sendable {
    private var bytes: [UInt8] = []

    var byteCount: Int { bytes.count }

    mutating func append(_ number: Int) {
        var rest = UInt(number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// The number whose first byte is at `cursor`, which goes on to the next.
    func next(_ cursor: inout Int) -> Int {
        var number = 0
        var shift = 0
        while true {
            let byte = bytes[cursor]
            cursor += 1
            number |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
    }
}
