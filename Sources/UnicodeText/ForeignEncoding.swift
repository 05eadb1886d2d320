/// An encoding that is not UTF-8, guessed from bytes; the raw value is the name that iconv(1) knows it by.
public enum ForeignEncoding: String, Sendable {
    case utf16LittleEndian = "UTF-16LE"
    case utf16BigEndian = "UTF-16BE"
    case utf32LittleEndian = "UTF-32LE"
    case utf32BigEndian = "UTF-32BE"
    case gb18030 = "GB18030"

    /// What the start of a file is, told by a byte order mark, or by zeros at every other place.
    public init?(startingWith bytes: UnsafeRawBufferPointer) {
        let start = Array(bytes.prefix(1024))
        // UTF-32 first: its little-endian mark begins with that of UTF-16.
        let marks: [([UInt8], ForeignEncoding)] = [
            ([0xFF, 0xFE, 0, 0], .utf32LittleEndian), ([0, 0, 0xFE, 0xFF], .utf32BigEndian),
            ([0xFF, 0xFE], .utf16LittleEndian), ([0xFE, 0xFF], .utf16BigEndian),
        ]
        for (mark, encoding) in marks where start.starts(with: mark) {
            self = encoding
            return
        }
        // In UTF-16 the ASCII characters, spaces and line ends at least, have a zero half.
        let zeros = start.indices.filter { start[$0] == 0 }
        guard zeros.count * 8 > start.count, start.count >= 4 else { return nil }
        let odd = zeros.count { $0 % 2 == 1 }
        if odd == zeros.count {
            self = .utf16LittleEndian
        } else if odd == 0 {
            self = .utf16BigEndian
        } else {
            return nil
        }
    }

    /// Whether bytes that are not UTF-8 read as GB18030 (or GBK, GB2312) from end to end, at least four characters of it.
    public static func isPlausibleGB18030(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        var pairs = 0
        while index < bytes.count {
            if bytes[index] < 0x80 {
                index += 1
                continue
            }
            guard (0x81...0xFE).contains(bytes[index]), index + 1 < bytes.count else { return false }
            let second = bytes[index + 1]
            if (0x40...0x7E).contains(second) || (0x80...0xFE).contains(second) {
                index += 2
            } else if (0x30...0x39).contains(second), index + 3 < bytes.count,
                (0x81...0xFE).contains(bytes[index + 2]), (0x30...0x39).contains(bytes[index + 3])
            {
                index += 4
            } else {
                return false
            }
            pairs += 1
        }
        return pairs >= 4
    }
}
