import Testing

@testable import Commands

struct SplitListTests {
    // As sentencepiece's StrSplitAsCSV.
    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a,b", ["a", "b"]), ("a,,b", ["a", "", "b"]), ("a,b,", ["a", "b"]), (",", [""]),
        ("\"a,b\",c", ["a,b", "c"]), ("\"a\"\"b\"", ["a\"b"]), ("\"a\"rest,b", ["a", "b"]), ("a\"b,c", ["a\"b", "c"]),
        ("\"open, end", ["open, end"]), ("中,文", ["中", "文"]),
    ])
    func `lists are split as by sentencepiece`(text: String, expected: [String]) {
        #expect(splitList(text) == expected)
    }
}
