import OrderedJSON

/// One tensor's entry but for its dimensions, which go to the table at once.
struct HeaderEntry {
    var isObject = true
    var typeName: String?
    var hasShape = false
    var offsets: (begin: Int, end: Int)?
    /// Whether every number in members that mean nothing is one that a `Double` can come near.
    var areDoubles = true
}

extension HeaderReader {
    mutating func readEntry(_ reader: inout JSONReader) throws(JSONError) -> HeaderEntry {
        var entry = HeaderEntry()
        switch try reader.nextKind() {
        case .object: try readMembers(of: &entry, &reader)
        case .array: try readElements(of: &entry, &reader)
        default:
            entry.isObject = false
            try reader.skipValue()
        }
        return entry
    }

    private mutating func readMembers(of entry: inout HeaderEntry, _ reader: inout JSONReader) throws(JSONError) {
        memberKeys.removeAll()
        var members = reader.beginList()
        while try reader.advance(&members) {
            switch try reader.readKey(&memberKeys) {
            case "dtype": entry.typeName = try readTypeName(&reader)
            case "shape": entry.hasShape = try readShape(&reader)
            case "data_offsets": entry.offsets = try readOffsets(&reader)
            default: if try !reader.skipValue() { entry.areDoubles = false }
            }
        }
    }

    /// An entry written as an array: its members in their order.
    private mutating func readElements(of entry: inout HeaderEntry, _ reader: inout JSONReader) throws(JSONError) {
        var count = 0
        var elements = reader.beginList()
        while try reader.advance(&elements) {
            switch count {
            case 0: entry.typeName = try readTypeName(&reader)
            case 1: entry.hasShape = try readShape(&reader)
            case 2: entry.offsets = try readOffsets(&reader)
            default: try reader.skipValue()
            }
            count += 1
        }
        entry.isObject = count == 3
    }

    /// A type's name, written as a string or as `{"F32": null}`.
    private func readTypeName(_ reader: inout JSONReader) throws(JSONError) -> String? {
        switch try reader.nextKind() {
        case .string: return try reader.readString()
        case .object: break
        default:
            try reader.skipValue()
            return nil
        }
        var keys = NameTable()
        var isNull = false
        var members = reader.beginList()
        while try reader.advance(&members) {
            _ = try reader.readKey(&keys)
            isNull = try reader.nextKind() == .null
            try reader.skipValue()
        }
        return keys.count == 1 && isNull ? keys[0] : nil
    }

    private mutating func readShape(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        let isKept = problem == nil
        return try readNaturals(&reader) { if isKept { table.append(dimension: $0) } }
    }

    private func readOffsets(_ reader: inout JSONReader) throws(JSONError) -> (begin: Int, end: Int)? {
        var offsets = (begin: 0, end: 0)
        var count = 0
        let areNatural = try readNaturals(&reader) { number in
            offsets = (offsets.end, number)
            count += 1
        }
        return areNatural && count == 2 ? offsets : nil
    }
}

/// Reads a value that should be a list of numbers without sign, point or exponent.
///
/// - Returns: Whether it is one, and each fits; if not, `body` may have had some of them.
private func readNaturals(_ reader: inout JSONReader, _ body: (Int) -> Void) throws(JSONError) -> Bool {
    guard try reader.nextKind() == .array else {
        try reader.skipValue()
        return false
    }
    var areNatural = true
    var elements = reader.beginList()
    while try reader.advance(&elements) {
        if try reader.nextKind() != .number {
            areNatural = false
            try reader.skipValue()
        } else if let number = try reader.readNatural() {
            body(number)
        } else {
            areNatural = false
        }
    }
    return areNatural
}
