import GGUF
import TestSupport
import Testing

/// The value of a file's only key.
private func value(_ key: String, _ type: UInt32, _ bytes: [UInt8]) throws -> GGUFValue? {
    try readGGUF(GGUFBytes.file([(key, type, bytes)])).header.values[key]
}

@Suite struct GGUFValueTests {
    @Test func `arrays of a vocabulary are read, of integers of whatever width`() throws {
        let types = "tokenizer.ggml.token_type"
        func integers(_ type: UInt32, _ bytes: [UInt8]) throws -> GGUFValue? {
            try value(types, 9, GGUFBytes.array(type, 2, bytes))
        }
        #expect(try integers(0, [1, 200]) == .integers([1, 200]))
        #expect(try integers(1, little(Int8(1)) + little(Int8(-2))) == .integers([1, -2]))
        #expect(try integers(2, little(UInt16(1)) + little(UInt16.max)) == .integers([1, 65_535]))
        #expect(try integers(3, little(Int16(1)) + little(Int16(-2))) == .integers([1, -2]))
        #expect(try integers(4, little(UInt32(1)) + little(UInt32.max)) == .integers([1, 4_294_967_295]))
        #expect(try integers(5, little(Int32(1)) + little(Int32(-2))) == .integers([1, -2]))
        #expect(try integers(11, little(Int64(1)) + little(Int64.min)) == .integers([1, .min]))
        #expect(try integers(10, little(UInt64(1)) + little(UInt64(2))) == .other(count: 2))
        let scores = GGUFBytes.array(6, 2, little(Float(0.5).bitPattern) + little(Float(-3).bitPattern))
        #expect(try value("tokenizer.ggml.scores", 9, scores) == .floats([0.5, -3]))
        let tokens = GGUFBytes.array(8, 3, GGUFBytes.text("a") + GGUFBytes.text("") + GGUFBytes.text("bc"))
        #expect(try value("tokenizer.ggml.tokens", 9, tokens) == .strings([[0x61], [], [0x62, 0x63]]))
    }

    @Test func `of other arrays the length is kept, and what follows them is read`() throws {
        let nested = GGUFBytes.array(9, 2, GGUFBytes.array(8, 1, GGUFBytes.text("x")) + GGUFBytes.array(4, 0, []))
        let header = try readGGUF(
            GGUFBytes.file([
                ("bytes", 9, GGUFBytes.array(0, 3, [1, 2, 3])),
                ("merges", 9, GGUFBytes.array(8, 2, GGUFBytes.text("a b") + GGUFBytes.text("c d"))),
                ("nested", 9, nested), ("doubles", 9, GGUFBytes.array(12, 1, little(UInt64(0)))),
                ("last", 4, little(UInt32(7))),
            ])
        ).header
        #expect(header.values["bytes"] == .other(count: 3))
        #expect(header.values["merges"] == .other(count: 2))
        #expect(header.values["nested"] == .other(count: 2))
        #expect(header.values["doubles"] == .other(count: 1))
        #expect(header.values["last"]?.int == 7)
    }

    @Test func `a text of more than 1 MiB is passed over`() throws {
        let (whole, over) = (String(repeating: "t", count: 1 << 20), String(repeating: "t", count: 1 << 20 + 1))
        #expect(try value("k", 8, GGUFBytes.text(whole))?.text == whole)
        #expect(try value("k", 8, GGUFBytes.text(over)) == .other(count: 1 << 20 + 1))
    }
}
