import OrderedJSON
import Testing

@Suite struct ExactJSONTests {
    @Test func `canonically equivalent keys are two keys`() throws {
        let json = try ExactJSON(parsing: Array("{\"\u{E9}\": 1, \"e\u{301}\": 2}".utf8))
        #expect(json.members?.map(\.value.int) == [1, 2])
        #expect(json.members?.map(\.key) == [[0xC3, 0xA9], [0x65, 0xCC, 0x81]])
    }

    @Test func `escapes are undone and nested values found`() throws {
        let json = try ExactJSON(parsing: Array(#"{"a": ["\u4e2d\ud83d\ude00\n", true, null, -1.5e3], "b": {}}"#.utf8))
        #expect(json["a"]?.array?.first?.string == "中😀\n")
        #expect(json["a"]?.array?[1].bool == true)
        #expect(json["a"]?.array?[2].isNull == true)
        #expect(json["a"]?.array?[3].double == -1500)
        #expect(json["b"]?.members?.isEmpty == true)
        #expect(json["c"] == nil)
    }

    @Test(arguments: [
        "", "{", "{\"a\"", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "[1 2]", "[1,]", "\"\\ud800\"", "\"a", "nul", "{1:2}",
        "1 2",
        "{\"a\":1,\"a\":2}", "{\"a\":[1,{\"b\":]}",
    ])
    func `what is not JSON is refused`(_ text: String) {
        #expect(throws: JSONError.self) { try ExactJSON(parsing: Array(text.utf8)) }
    }

    @Test func `bytes that are not UTF-8 and deep nesting are refused`() {
        #expect(throws: JSONError.self) { try ExactJSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONError.self) { try ExactJSON(parsing: Array(repeating: UInt8(ascii: "["), count: 100_000)) }
    }
}
