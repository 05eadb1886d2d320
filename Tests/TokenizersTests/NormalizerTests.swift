import Foundation
import PieceModel
import Testing

@testable import Tokenizers

struct NormalizerTests {
    private func normalizer(dummy: Bool, removeExtra: Bool, escape: Bool) throws -> Normalizer {
        var specification = Sentencepiece_NormalizerSpec()
        specification.addDummyPrefix = dummy
        specification.removeExtraWhitespaces = removeExtra
        specification.escapeWhitespaces = escape
        return try Normalizer(specification: specification, treatsWhitespaceAsSuffix: false, path: "test")
    }

    private func normalize(_ bytes: [UInt8], _ normalizer: Normalizer) -> String {
        String(decoding: bytes.withUnsafeBufferPointer { normalizer.normalize($0) }, as: UTF8.self)
    }

    // sentencepiece's own grid of settings.
    @Test(arguments: [
        (false, false, false, "▁", " "), (false, false, true, "▁", "▁"), (false, true, false, "▁", ""),
        (false, true, true, "", ""), (true, false, false, " ▁", "  "), (true, false, true, "▁▁", "▁▁"),
        (true, true, false, " ▁", ""), (true, true, true, "", ""),
    ])
    func `handles spaces as set`(dummy: Bool, removeExtra: Bool, escape: Bool, ofMark: String, ofSpace: String) throws {
        let normalizer = try normalizer(dummy: dummy, removeExtra: removeExtra, escape: escape)
        #expect(normalize(Array("▁".utf8), normalizer) == ofMark)
        #expect(normalize([0x20], normalizer) == ofSpace)
    }

    private static let broken: [([UInt8], String)] = [
        ([0x61, 0x62, 0x63, 0x80, 0x78, 0x79], "abc\u{FFFD}xy"),
        ([0x61, 0x62, 0xE3, 0x81, 0x78, 0x79], "ab\u{FFFD}\u{FFFD}xy"),
        ([0x61, 0xF3, 0x81, 0x81, 0x78, 0x79], "a\u{FFFD}\u{FFFD}\u{FFFD}xy"),
        ([0x61, 0x62, 0xC0, 0x82, 0x78, 0x79], "ab\u{FFFD}\u{FFFD}xy"),
    ]

    @Test(arguments: broken)
    func `broken bytes become replacement characters`(bytes: [UInt8], expected: String) throws {
        #expect(normalize(bytes, try normalizer(dummy: false, removeExtra: true, escape: true)) == expected)
    }

    @Test func `offsets lead back to the input`() throws {
        let normalizer = try normalizer(dummy: true, removeExtra: true, escape: true)
        let (bytes, offsets) = Array(" a  b ".utf8).withUnsafeBufferPointer { normalizer.normalizeWithOffsets($0) }
        #expect(String(decoding: bytes, as: UTF8.self) == "▁a▁b")
        #expect(offsets == [1, 1, 1, 1, 2, 2, 2, 4, 5])
    }

    private static let brokenCharsmaps: [([UInt8], String)] = [
        ([1, 2, 3], "too few"), ([0xFF, 0xFF, 0xFF, 0x7F, 0], "passes the blob's end"),
        ([4, 0, 0, 0, 1, 1, 1, 1, 0], "multiple"),
    ]

    @Test(arguments: brokenCharsmaps)
    func `a broken charsmap is refused`(blob: [UInt8], reason: String) throws {
        var specification = Sentencepiece_NormalizerSpec()
        specification.precompiledCharsmap = .init(blob)
        let error = #expect(throws: PieceModelError.self) {
            try Normalizer(specification: specification, treatsWhitespaceAsSuffix: false, path: "x.model")
        }
        #expect(error?.description.contains(reason) == true)
    }

    @Test func `a charsmap that points everywhere does not trap`() throws {
        // A trie whose units lead out of the array, with targets of one byte.
        var blob: [UInt8] = [0, 4, 0, 0]
        for index in 0..<256 {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: index &* 0x9E37_79B9).littleEndian) { blob += $0 }
        }
        blob.append(0)
        var specification = Sentencepiece_NormalizerSpec()
        specification.precompiledCharsmap = .init(blob)
        let normalizer = try Normalizer(specification: specification, treatsWhitespaceAsSuffix: false, path: "x")
        for byte in UInt8.min...UInt8.max { _ = normalize([byte, byte &+ 1, 0x61], normalizer) }
    }
}
