import TestSupport
import Testing

@testable import OrderedJSON

struct JSONValueTests {
    @Test func `keys keep their order and numbers their spelling`() throws {
        let text = #"{"b":1e-05,"a":[1.0,true,null,"é\n"],"c":{}}"#
        #expect(try JSONValue(parsing: text).text(.line) == text)
    }

    @Test func `Hugging Face's layout is Python's`() throws {
        let value = try JSONValue(parsing: #"{"b":[1,2],"a":{"x":"中\u007f"},"e":[],"d":{}}"#)
        let expected = """
            {
              "a": {
                "x": "\\u4e2d\u{7F}"
              },
              "b": [
                1,
                2
              ],
              "d": {},
              "e": []
            }
            """
        #expect(value.text(.huggingFace) == expected)
    }

    @Test func `surrogate pairs become one character`() throws {
        #expect(try JSONValue(parsing: #""\ud83d\ude00""#).string == "😀")
        #expect(JSONValue.string("😀").text(.huggingFace) == #""\ud83d\ude00""#)
    }

    @Test func `nesting ends where serde_json ends it`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        }
        #expect(try JSONValue(parsing: nested(127)).text(.line) == nested(127))
        #expect(throws: JSONError(offset: 127, reason: "nested too deeply")) { try JSONValue(parsing: nested(128)) }
        #expect(throws: JSONError(offset: 127, reason: "nested too deeply")) {
            try ExactJSON(parsing: nested(128).utf8)
        }
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,\"a\":2}", "01", "1.", "nul", "\"\u{1}\"", "\"\\ud800\"", "[1] 2", "{'a':1}", "NaN",
        String(repeating: "[", count: 5000), "\"abc", "{\"a\" 1}", "-", "\"\\x\"", "[1 2]",
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func `invalid UTF-8 in a string is refused`() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    // Found by fuzzing: a key with a line feed gave an error of two lines.
    @Test func `a repeated key is shown on one line, and not at full length`() {
        let text = #"{"a\nb": 1, "a\nb": 2}"#
        let reason = #": the key "a\nb" is repeated"#
        #expect { try JSONValue(parsing: text) } throws: { "\($0)".hasSuffix(reason) }
        #expect { try ExactJSON(parsing: Array(text.utf8)) } throws: { "\($0)".hasSuffix(reason) }
        let key = String(repeating: "k", count: 1000)
        #expect { try JSONValue(parsing: "{\"\(key)\":1,\"\(key)\":2}") } throws: { "\($0)".count < 120 }
    }

    @Test func `numbers that JSON lacks become null`() {
        #expect(JSONValue.double(.nan).text() == "null")
        #expect(JSONValue.double(-.infinity).text() == "null")
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `random bytes never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0123456789abcdefnrtE+-. ".utf8)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            if let value = try? JSONValue(parsing: bytes) {
                #expect((try? JSONValue(parsing: value.utf8(.pretty))) == value)
            }
        }
    }
}
