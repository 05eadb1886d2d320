import TestSupport
import Testing
import UnicodeText

@Suite struct EncodingTests {
    @Test func wellFormedTextHasNoInvalidByte() {
        for text in ["", "plain", "混合 mixed ascii and 中文 𠀀 é", String(repeating: "x", count: 100) + "末"] {
            #expect(Array(text.utf8).withUnsafeBytes { firstInvalidUTF8(in: $0) } == nil)
        }
    }

    @Test(
        arguments: [
            ([0x80], 0), ([0x61, 0xC0, 0x80], 1), ([0xE0, 0x80, 0x80], 0), ([0xED, 0xA0, 0x80], 0),
            ([0xF4, 0x90, 0x80, 0x80], 0), ([0xF5, 0x80, 0x80, 0x80], 0), ([0xE4, 0xB8], 0), ([0xE4, 0xB8, 0x41], 0),
            (Array("abcdefgh".utf8) + [0xFF], 8), (Array("abcdefgh中".utf8) + [0xF0, 0x9F, 0x98], 11),
        ] as [([UInt8], Int)])
    func theFirstInvalidByteIsFound(_ bytes: [UInt8], _ offset: Int) {
        #expect(bytes.withUnsafeBytes { firstInvalidUTF8(in: $0) } == offset)
    }

    /// The standard library's decoder as the slow, obvious reference.
    @Test func validationAgreesWithTheStandardLibrary() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...12, using: &generator)).map { _ -> UInt8 in
                [0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xE4, 0xED, 0xF0, 0xF4, 0xFF].randomElement(
                    using: &generator) ?? 0
            }
            let isValid = bytes.withUnsafeBytes { firstInvalidUTF8(in: $0) } == nil
            #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
        }
    }

    @Test(
        arguments: [
            ([0xFF, 0xFE, 0x2D, 0x4E], ForeignEncoding.utf16LittleEndian), ([0xFE, 0xFF, 0x4E, 0x2D], .utf16BigEndian),
            ([0xFF, 0xFE, 0, 0, 0x2D, 0x4E, 0, 0], .utf32LittleEndian), ([0, 0, 0xFE, 0xFF], .utf32BigEndian),
            ([0x61, 0, 0x62, 0, 0x2D, 0x4E], .utf16LittleEndian), ([0, 0x61, 0, 0x62, 0x4E, 0x2D], .utf16BigEndian),
            (Array("plain".utf8), nil), ([0xEF, 0xBB, 0xBF, 0x61], nil), ([], nil),
            ([0x61, 0, 0x61, 0x61, 0, 0x61], nil),
        ] as [([UInt8], ForeignEncoding?)])
    func wideEncodingsAreToldByTheirStart(_ bytes: [UInt8], _ encoding: ForeignEncoding?) {
        #expect(bytes.withUnsafeBytes { ForeignEncoding(startingWith: $0) } == encoding)
    }

    @Test func chineseLegacyBytesAreTold() {
        // 中文编码 in GBK; one with a four-byte character of GB18030 (U+00C0).
        let legacy: [UInt8] = [0xD6, 0xD0, 0xCE, 0xC4, 0xB1, 0xE0, 0xC2, 0xEB]
        #expect(legacy.withUnsafeBytes { ForeignEncoding.isPlausibleGB18030($0) })
        #expect((legacy + [0x81, 0x30, 0x86, 0x38]).withUnsafeBytes { ForeignEncoding.isPlausibleGB18030($0) })
        #expect(!Array("a\u{E9}".utf8).withUnsafeBytes { ForeignEncoding.isPlausibleGB18030($0) })
        #expect(![0x61, 0xFF, 0x61].withUnsafeBytes { ForeignEncoding.isPlausibleGB18030($0) })
    }
}
