/// A number as the bytes of a little-endian file.
public func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// GGUF files put together by hand, sound or not.
public enum GGUFBytes {
    public static func text(_ value: String) -> [UInt8] { little(UInt64(value.utf8.count)) + Array(value.utf8) }

    /// The value of an array: type of its elements, their number, their bytes.
    public static func array(_ type: UInt32, _ count: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        little(type) + little(count) + bytes
    }

    /// A file with these entries (key, type, value as bytes) and what comes behind them.
    public static func file(
        _ entries: [(String, UInt32, [UInt8])], count: UInt64? = nil, version: UInt32 = 3, tensorCount: UInt64 = 0,
        rest: [UInt8] = []
    ) -> [UInt8] {
        Array("GGUF".utf8) + little(version) + little(tensorCount) + little(count ?? UInt64(entries.count))
            + entries.flatMap { text($0.0) + little($0.1) + $0.2 } + rest
    }

    /// A tensor's description: dimensions innermost first, as in the file.
    public static func tensor(
        _ name: String, _ dimensions: [UInt64], type: UInt32 = 0, at position: UInt64 = 0
    ) -> [UInt8] {
        text(name) + little(UInt32(dimensions.count)) + dimensions.flatMap { little($0) } + little(type)
            + little(position)
    }
}
