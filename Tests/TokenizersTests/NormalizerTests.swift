import Foundation
import PieceModel
import TestSupport
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

    /// 256 units that lead anywhere.
    private static let wildUnits = (0..<256 as Range<UInt32>).map { $0 &* 0x9E37_79B9 }

    @Test func `a charsmap that points everywhere is refused`() throws {
        var blob: [UInt8] = [0, 4, 0, 0]
        for unit in Self.wildUnits { withUnsafeBytes(of: unit.littleEndian) { blob += $0 } }
        blob.append(0)
        var specification = Sentencepiece_NormalizerSpec()
        specification.precompiledCharsmap = .init(blob)
        let error = #expect(throws: PieceModelError.self) {
            try Normalizer(specification: specification, treatsWhitespaceAsSuffix: false, path: "x.model")
        }
        #expect(error?.description.contains("leads outside") == true)
    }

    @Test func `a trie that points everywhere does not trap`() {
        let trie = DoubleArrayTrie(units: Self.wildUnits)
        for byte in UInt8.min...UInt8.max {
            [byte, byte &+ 1, 0x61].withUnsafeBufferPointer { _ = trie.longestPrefix(of: $0, from: 0) }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the pass that splits as it goes gives the same text`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let normalizer = try normalizer(dummy: seed % 2 == 0, removeExtra: false, escape: seed % 3 != 0)
        let characters = CharacterNumbers(SegmentablePieces(vocabulary: Vocabulary(model([("a", -1), ("中", -2)]))))
        for _ in 0..<200 {
            let input = (0..<Int.random(in: 0...20, using: &generator)).flatMap { _ -> [UInt8] in
                [[0x20], [0x61], Array("中".utf8), Array("😀".utf8), [UInt8.random(in: 0...255, using: &generator)]]
                    .randomElement(using: &generator) ?? []
            }
            let (one, two) = (EncodingScratch(), EncodingScratch())
            input.withUnsafeBufferPointer { bytes in
                normalizer.normalize(bytes, into: one)
                normalizer.normalizeAndSplit(bytes, into: two, characters)
            }
            if one.text.count > 0 { characters.split(one, userDefined: nil) }
            #expect(Array(one.text.elements) == Array(two.text.elements), "seed \(seed), input \(input)")
            #expect(Array(one.symbols.elements) == Array(two.symbols.elements), "seed \(seed), input \(input)")
        }
    }

    // Offsets of sentencepiece's own test of half-width forms, with the two rules that it takes.
    @Test func `a rule's bytes all stand for its first`() throws {
        var keys = SortedKeys()
        keys.append("\u{3000}".utf8, value: 0)
        keys.append("㍿".utf8, value: 2)
        let map = PrecompiledCharsmap(trie: DoubleArrayTrie(keys), targets: [0x20, 0] + Array("株式会社".utf8) + [0])
        var specification = Sentencepiece_NormalizerSpec()
        specification.precompiledCharsmap = .init(map.blob)
        specification.removeExtraWhitespaces = true
        let normalizer = try Normalizer(specification: specification, treatsWhitespaceAsSuffix: false, path: "x")
        let (bytes, offsets) = Array("㍿".utf8).withUnsafeBufferPointer { normalizer.normalizeWithOffsets($0) }
        #expect(String(decoding: bytes, as: UTF8.self) == "▁株式会社")
        #expect(offsets == [Int](repeating: 0, count: 15) + [3])
        let text = " I   saw a\u{3000} \u{3000}girl\u{3000}\u{3000}"
        let saw = Array(text.utf8).withUnsafeBufferPointer { normalizer.normalizeWithOffsets($0) }
        #expect(String(decoding: saw.bytes, as: UTF8.self) == "▁I▁saw▁a▁girl")
        #expect(saw.offsets == [1, 1, 1, 1, 2, 2, 2, 5, 6, 7, 8, 8, 8, 9, 10, 10, 10, 17, 18, 19, 20, 21])
        #expect(
            String(decoding: normalizer.ruleLines, as: UTF8.self)
                == "3000\t20\t# \u{3000} =>  \n337F\t682A 5F0F 4F1A 793E\t# ㍿ => 株式会社\n")
    }
}
