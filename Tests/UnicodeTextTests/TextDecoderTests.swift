import Testing

@testable import UnicodeText

struct TextDecoderTests {
    private func decode(_ bytes: [UInt8], as encoding: String, step: Int) throws -> String {
        let decoder = try #require(TextDecoder(encoding: encoding))
        var output: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + step)
            bytes[start..<end].withUnsafeBytes { decoder.decode($0, into: &output) }
            start = end
        }
        decoder.finish(into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test(arguments: 1...5)
    func `characters may be cut between calls`(step: Int) throws {
        #expect(try decode([0xD6, 0xD0, 0x41, 0x81, 0x30, 0x81, 0x30], as: "GB18030", step: step) == "中A\u{80}")
        #expect(try decode([0xFF, 0xFE, 0x2D, 0x4E, 0x3D, 0xD8, 0x00, 0xDE], as: "UTF-16", step: step) == "中😀")
        #expect(try decode([0x2D, 0x4E], as: "UTF-16LE", step: step) == "中")
    }

    @Test func `what the encoding does not know becomes replacement characters`() throws {
        #expect(try decode([0x41, 0xFF, 0x42], as: "GB18030", step: 10) == "A\u{FFFD}B")
        #expect(try decode([0x41, 0xD6], as: "GB18030", step: 10) == "A\u{FFFD}")
        #expect(try decode([0x00, 0x0A, 0x0A], as: "UTF-16BE", step: 10) == "\n")
    }

    @Test(arguments: ["", "no-such", "UTF-8//IGNORE", "a b", "\0"])
    func `a name that iconv does not know is none`(name: String) {
        #expect(TextDecoder(encoding: name) == nil)
    }
}
