import TestSupport
import Testing

@testable import OrderedJSON

/// The reader by itself; that it makes the right trees is in the tests of `JSONValue` and `ExactJSON`.
struct JSONReaderTests {
    /// Reads one value without keeping it.
    private func skip(_ text: some Collection<UInt8>) throws(JSONError) -> Bool {
        try readJSON(text) { reader throws(JSONError) in try reader.skipValue() }
    }

    private func failure(_ body: () throws(JSONError) -> Void) -> JSONError? {
        do throws(JSONError) { try body() } catch { return error }
        return nil
    }

    @Test(arguments: [
        ("", 0, "it ends early"), (" [", 2, "it ends early"), ("[1 2]", 3, "a comma or a closing bracket was expected"),
        ("{\"a\":1", 6, "a comma or a closing brace was expected"), ("{\"a\":1,}", 7, "a key was expected"),
        ("{1:2}", 1, "a key was expected"), ("{\"a\" 1}", 5, "a colon was expected"),
        ("{\"a\":1, \"a\":2}", 11, "the key \"a\" is repeated"), ("[1,]", 3, "a value was expected"),
        ("[tru]", 1, "a value was expected"), ("01", 1, "text after the value"), ("1.", 2, "a digit was expected"),
        ("-", 1, "a digit was expected"), ("1e+", 3, "a digit was expected"), ("[1] 2", 4, "text after the value"),
        ("\"ab", 3, "a string is not closed"), ("\"a\\", 3, "a string is not closed"),
        ("\"a\n\"", 2, "a control character stands in a string"), ("\"\\x\"", 3, "an unknown escape in a string"),
        ("\"\\u12g4\"", 3, "four hexadecimal digits were expected"), ("\"\\ud800\"", 7, "half of a surrogate pair"),
        ("\"\\ud800\\u0041\"", 13, "half of a surrogate pair"), ("\"\\udc00\"", 7, "half of a surrogate pair"),
    ])
    func `every reader of a text finds the same fault at the same byte`(text: String, offset: Int, reason: String) {
        let expected = JSONError(offset: offset, reason: reason)
        #expect(failure { () throws(JSONError) in _ = try JSONValue(parsing: text) } == expected)
        #expect(failure { () throws(JSONError) in _ = try ExactJSON(parsing: text.utf8) } == expected)
        #expect(failure { () throws(JSONError) in _ = try skip(text.utf8) } == expected)
    }

    @Test func `a string that is not UTF-8 is told by its opening quote`() {
        let text: [UInt8] = Array("[1, \"a".utf8) + [0xFF] + Array("\"]".utf8)
        let expected = JSONError(offset: 4, reason: "a string is not valid UTF-8")
        #expect(failure { () throws(JSONError) in _ = try JSONValue(parsing: text) } == expected)
        #expect(failure { () throws(JSONError) in _ = try ExactJSON(parsing: text) } == expected)
        #expect(failure { () throws(JSONError) in _ = try skip(text) } == expected)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `random texts are taken and refused by all readers alike`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let tokens = [
            "{", "}", "[", "]", "\"a\"", "\"b\"", ":", ",", "1", "-2.5e1", "true", "null", " ", "\"\\u4e2d\"", "\"",
        ]
        for _ in 0..<400 {
            let text = (0..<Int.random(in: 1...14, using: &generator)).map { _ in
                tokens.randomElement(using: &generator) ?? ""
            }.joined()
            let tree = failure { () throws(JSONError) in _ = try JSONValue(parsing: text) }
            #expect(failure { () throws(JSONError) in _ = try ExactJSON(parsing: text.utf8) } == tree, "\(text)")
            #expect(failure { () throws(JSONError) in _ = try skip(text.utf8) } == tree, "\(text)")
        }
    }

    @Test(arguments: [
        ("1e308", true), ("1e309", false), ("-1e999", false), ("1e-999", true), ("[1,{\"a\":[1e400]}]", false),
        ("{\"a\":\"1e999\"}", true), (String(repeating: "9", count: 300), true),
        (String(repeating: "9", count: 309), false),
        ("0." + String(repeating: "0", count: 400) + "1", true), ("null", true),
    ])
    func `numbers beyond a Double are told in values that mean nothing`(text: String, expected: Bool) throws {
        #expect(try skip(text.utf8) == expected)
    }

    @Test(arguments: [
        ("0", 0), ("9223372036854775807", Int.max), ("9223372036854775808", nil), ("18446744073709551617", nil),
        ("-1", nil), ("-0", nil), ("1.0", nil), ("1e0", nil), (String(repeating: "9", count: 1000), nil),
    ])
    func `natural numbers have no sign, point or exponent, and fit`(text: String, expected: Int?) throws {
        let number = try readJSON(text.utf8) { reader throws(JSONError) in try reader.readNatural() }
        #expect(number == expected)
    }

    @Test func `what was read may be let go of while the reading goes on`() throws {
        let strings = (0..<5).map { "\"" + String(repeating: "\($0)", count: 5 << 20) + "\"" }
        let text = Array("[\(strings.joined(separator: ","))]".utf8)
        nonisolated(unsafe) var released: [Range<Int>] = []
        _ = try readJSON(text, release: { released.append($0) }) { reader throws(JSONError) in try reader.skipValue() }
        #expect(released.count == 2 && released.first?.lowerBound == 0)
        #expect(zip(released, released.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(released.allSatisfy { $0.count >= 8 << 20 && $0.upperBound <= text.count })
    }
}
