import SeededRandom
import Testing
import UnicodeText

@testable import Tokenizers

struct StreamingDecoderTests {
    private func tokenizer(removeExtra: Bool = false) throws -> Tokenizer {
        try Tokenizer(
            model(
                [("▁ab", -1), ("▁", -2), ("你好", -3), ("c", -4), ("▁▁", -5)], byteFallback: true, dummyPrefix: true,
                removeExtra: removeExtra))
    }

    @Test(arguments: [false, true])
    func `what is streamed is what all ids give at once`(removeExtra: Bool) throws {
        let tokenizer = try tokenizer(removeExtra: removeExtra)
        // Many bytes that begin and continue characters, and some pieces and control pieces.
        let bytes: [UInt8] = [0x41, 0xC3, 0xA9, 0xE4, 0xBD, 0xA0, 0xF0, 0x9F, 0x98, 0x80, 0xED, 0xF4, 0xFF]
        let ids = bytes.map { Int($0) + 3 } + [0, 1, 2] + Array(259..<264)
        var generator = SplitMix64(seed: 3)
        for _ in 0..<2000 {
            let sequence = (0..<12).map { _ in PieceID(ids[Int(generator.next(below: UInt64(ids.count)))]) }
            var decoder = try StreamingDecoder(tokenizer)
            var text = ""
            for id in sequence { text += try decoder.append(id) }
            text += decoder.finish()
            #expect(Array(text.utf8) == (try tokenizer.decodeUTF8(sequence)), "\(sequence)")
        }
    }

    @Test func `a text goes on with its space and in the middle of a character`() throws {
        let tokenizer = try tokenizer()
        var spaced = try StreamingDecoder(tokenizer, after: [1, 259])
        #expect(try spaced.append(259) == " ab")
        #expect(try spaced.append(2) == "")
        #expect(spaced.finish() == "")
        let character = Array("好".utf8).map { PieceID(Int($0) + 3) }
        var cut = try StreamingDecoder(tokenizer, after: [262, character[0]])
        #expect(try cut.append(character[1]) == "")
        #expect(try cut.append(character[2]) == "好")
        #expect(try cut.append(character[0]) == "")
        #expect(cut.finish() == "\u{FFFD}")
    }

    @Test func `an id outside the vocabulary is named`() throws {
        let tokenizer = try tokenizer()
        let error = TokenizerError.idOutOfRange(id: 264, count: 264)
        #expect(throws: error) { try StreamingDecoder(tokenizer, after: [264]) }
        var decoder = try StreamingDecoder(tokenizer)
        #expect(throws: error) { _ = try decoder.append(264) }
    }

    @Test func `an open character is one that some bytes complete`() {
        func isOpen(_ bytes: [UInt8]) -> Bool {
            let continuations: [UInt8] = [0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF]
            func completes(_ more: [UInt8]) -> Bool {
                let whole = bytes + more
                let length = whole.withUnsafeBufferPointer { UTF8Scalars.decode($0, at: 0).length }
                return length == whole.count || more.count < 3 && continuations.contains { completes(more + [$0]) }
            }
            return continuations.contains { completes([$0]) }
        }
        let samples: [UInt8] = [0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF]
        for first in UInt8(0x80)...0xFF {
            #expect((UTF8Scalars.openLength([0x41, first]) == 1) == isOpen([first]), "\(first)")
            for second in samples where second >= 0x80 && isOpen([first]) {
                #expect(
                    (UTF8Scalars.openLength([first, second]) == 2) == isOpen([first, second]), "\(first) \(second)")
            }
        }
        #expect(UTF8Scalars.openLength([]) == 0)
        #expect(UTF8Scalars.openLength(Array("a你".utf8)) == 0)
        #expect(UTF8Scalars.openLength([0xF0, 0x9F, 0x98]) == 3)
        #expect(UTF8Scalars.openLength([0xC3, 0x41]) == 0)
    }
}
