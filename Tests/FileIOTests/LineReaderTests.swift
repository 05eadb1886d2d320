import CZlib
import CZstd
import FileIO
import Glibc
import TestSupport
import Testing

/// The lines of a file, as strings, and where each stands.
private func lines(of path: String, longestLine: Int = LineReader.defaultLongestLine) throws -> [String] {
    var reader = try LineReader(path, longestLine: longestLine)
    var result: [String] = []
    while let line = try reader.withNextLine({ String(decoding: $0, as: UTF8.self) }) { result.append(line) }
    #expect(reader.lineNumber == result.count)
    return result
}

private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    try withTemporaryDirectory { directory in
        let path = directory + "/packed"
        let file = gzopen(path, "wb")
        #expect(gzwrite(file, bytes, UInt32(bytes.count)) == Int32(bytes.count))
        #expect(gzclose(file) == Z_OK)
        return try readFile(path)
    }
}

private func zstandard(_ bytes: [UInt8]) -> [UInt8] {
    var packed = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let count = ZSTD_compress(&packed, packed.count, bytes, bytes.count, 3)
    return Array(packed[..<count])
}

/// Lines of many lengths, some empty, the longest above a reader's first buffer.
private func variedLines() -> [String] {
    (0..<3000).map { String(repeating: "行\($0)", count: $0 * 7919 % 97) }
        + [String(repeating: "长", count: 300_000), "", "短"]
}

@Suite struct LineReaderTests {
    @Test(arguments: [
        ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"]),
        ("a\r\nb\rc\n", ["a\r", "b\rc"]),
        ("a\u{2028}b\n\0\n", ["a\u{2028}b", "\0"]),
    ])
    func linesEndAtLineFeedsOnly(_ text: String, _ expected: [String]) throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/text.txt", text.utf8)
            #expect(try lines(of: directory + "/text.txt") == expected)
            try writeFile(directory + "/text.txt.gz", try gzip(Array(text.utf8)))
            #expect(try lines(of: directory + "/text.txt.gz") == expected)
            try writeFile(directory + "/text.txt.zst", zstandard(Array(text.utf8)))
            #expect(try lines(of: directory + "/text.txt.zst") == expected)
        }
    }

    @Test func longFilesComeWholePlainOrPacked() throws {
        let expected = variedLines()
        let bytes = Array(expected.joined(separator: "\n").utf8)
        try withTemporaryDirectory { directory in
            for (name, packed) in [("plain", bytes), ("a.gz", try gzip(bytes)), ("a.zst", zstandard(bytes))] {
                try writeFile(directory + "/" + name, packed)
                #expect(try lines(of: directory + "/" + name) == expected)
                #expect(try readUnpackedFile(directory + "/" + name) == bytes)
            }
        }
    }

    @Test func linesOfAPlainFileComeWholeThoughTheirMemoryIsGivenBack() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/long.txt"
            // Longer than what is given back at a time, in lines that lie across its ends.
            var file = try OutputFile(path)
            let filling = [UInt8](repeating: 0x78, count: 3_000_017)
            for number in 0..<50 {
                try file.write("\(number) ")
                try file.write(filling)
                try file.write("\n")
            }
            try file.commit()
            var number = 0
            try forEachLine(of: path) { line in
                let prefix = Array("\(number) ".utf8)
                #expect(line.starts(with: prefix))
                #expect(line.count == prefix.count + filling.count)
                let rest = UnsafeRawBufferPointer(rebasing: line[prefix.count...])
                let isWhole = rest.baseAddress.map { memcmp($0, filling, filling.count) == 0 }
                #expect(isWhole == true)
                number += 1
            }
            #expect(number == 50)
        }
    }

    @Test func membersAndFramesFollowOneAnother() throws {
        let parts = [Array("one\ntw".utf8), [], Array("o\nthree".utf8)]
        try withTemporaryDirectory { directory in
            let padding = [UInt8](repeating: 0, count: 512)
            try writeFile(directory + "/a.gz", try parts.flatMap { try gzip($0) } + padding)
            #expect(try lines(of: directory + "/a.gz") == ["one", "two", "three"])
            try writeFile(directory + "/a.zst", parts.flatMap { zstandard($0) })
            #expect(try lines(of: directory + "/a.zst") == ["one", "two", "three"])
        }
    }

    @Test func everyTruncationIsDamage() throws {
        let bytes = Array("some text\nand more text, and more\n".utf8)
        for (suffix, packed) in [("gz", try gzip(bytes)), ("zst", zstandard(bytes))] {
            try withTemporaryDirectory { directory in
                let path = directory + "/a." + suffix
                for count in packed.indices {
                    try writeFile(path, packed[..<count])
                    #expect("\(count) bytes of \(suffix)") { try lines(of: path) } throws: { isDamage($0) }
                }
            }
        }
    }

    @Test func aWrongCheckSumIsDamage() throws {
        var packed = try gzip(Array("text\n".utf8))
        packed[packed.count - 8] ^= 1
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.gz", packed)
            #expect { try lines(of: directory + "/a.gz") } throws: { isDamage($0) && "\($0)".contains("data check") }
        }
    }

    @Test func everyFlippedByteIsReadOrIsDamage() throws {
        let bytes = Array("some text\nand more text, and more\n".utf8)
        for (suffix, packed) in [("gz", try gzip(bytes)), ("zst", zstandard(bytes))] {
            try withTemporaryDirectory { directory in
                for index in packed.indices {
                    var flipped = packed
                    flipped[index] ^= 0xFF
                    try writeFile(directory + "/a." + suffix, flipped)
                    do { _ = try lines(of: directory + "/a." + suffix) } catch { #expect(isDamage(error)) }
                }
            }
        }
    }

    @Test func trailingGarbageAndForeignNamesAreDamage() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.gz", try gzip(Array("text\n".utf8)) + Array("tail".utf8))
            #expect { try lines(of: directory + "/a.gz") } throws: { isDamage($0) }
            try writeFile(directory + "/b.gz", Array("<html>".utf8))
            #expect { try lines(of: directory + "/b.gz") } throws: { "\($0)".contains("not gzip data") }
            try writeFile(directory + "/c.zst", [])
            #expect { try lines(of: directory + "/c.zst") } throws: { "\($0)".contains("not zstd data") }
        }
    }

    @Test func aLineThatUnpacksWithoutEndIsRefused() throws {
        let bomb = try gzip([UInt8](repeating: 0x20, count: 4 << 20))
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/bomb.gz", bomb)
            #expect { try lines(of: directory + "/bomb.gz", longestLine: 1 << 20) } throws: {
                "\($0)".contains("line 1 unpacks to more than 1048576 bytes")
            }
            #expect(throws: FileError.self) { try readUnpackedFile(directory + "/bomb.gz", limit: 1 << 20) }
        }
    }

    @Test func whatIsNoFileIsRefusedAtOnce() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: FileError.missing(path: directory + "/none")) { try lines(of: directory + "/none") }
            #expect(throws: FileError.notAFile(path: directory)) { try lines(of: directory) }
            #expect(mkfifo(directory + "/pipe", 0o600) == 0)
            #expect(throws: FileError.self) { try lines(of: directory + "/pipe") }
        }
    }
}

private func isDamage(_ error: any Error) -> Bool {
    if case FileError.damaged = error { true } else { false }
}
