/// The length of the well-formed UTF-8 sequence at `index`, or nil (Unicode 15, table 3-7).
@inlinable
public func utf8SequenceLength(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int? {
    let first = bytes[index]
    if first < 0x80 { return 1 }
    guard first >= 0xC2, first <= 0xF4 else { return nil }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard bytes.count - index >= length else { return nil }
    let second = bytes[index + 1]
    // The first byte narrows the second: no overlong forms, no surrogates, nothing above U+10FFFF.
    let range: ClosedRange<UInt8> =
        switch first {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    guard range.contains(second) else { return nil }
    for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return nil }
    return length
}

/// Where the first byte stands that is not part of well-formed UTF-8; nil if all is well.
public func firstInvalidUTF8(in bytes: UnsafeRawBufferPointer) -> Int? {
    var index = 0
    while index < bytes.count {
        // Eight ASCII bytes at a time.
        while bytes.count - index >= 8,
            bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            index += 8
        }
        guard index < bytes.count else { return nil }
        guard let length = utf8SequenceLength(bytes, at: index) else { return index }
        index += length
    }
    return nil
}
