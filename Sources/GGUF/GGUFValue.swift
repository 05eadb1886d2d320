/// The value of a key in a GGUF file.
public enum GGUFValue: Sendable, Equatable {
    case unsigned(UInt64)
    case signed(Int64)
    case float(Double)
    case bool(Bool)
    case string([UInt8])
    case strings([[UInt8]])
    case floats([Float])
    case integers([Int64])
    /// An array of something that no model of this project needs, or a text of more than 1 MiB, by its length.
    case other(count: Int)

    /// A whole number that fits an `Int`, of whatever width and sign.
    public var int: Int? {
        switch self {
        case .unsigned(let value): Int(exactly: value)
        case .signed(let value): Int(exactly: value)
        default: nil
        }
    }

    /// A whole or floating-point number.
    public var double: Double? {
        if case .float(let value) = self { value } else { int.map { Double($0) } }
    }

    /// A string that is valid UTF-8.
    public var text: String? {
        if case .string(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
    }
}

/// Numbers that stand for the type of a value.
enum GGUFValueType: UInt32 {
    case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of one value; a string has at least its length.
    var size: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64, .string: 8
        case .array: 12
        }
    }
}
