import FileIO
import Foundation
import Partitioning
import UnicodeText

/// The raw lines of training files, handed out in parts that several cores work on side by side.
///
/// Memory holds the parts being worked on: a plain file is mapped and given back part by part, a packed or re-encoded
/// one is unpacked a window at a time.
struct LineParts {
    let files: [String]
    /// What the files are encoded in; nil for UTF-8.
    let encoding: String?
    let threads: Int
    let progress: ProgressHandler?

    /// Some whole lines of a file.
    struct Part: @unchecked Sendable {
        let path: String
        /// Outlives the calls that get the part.
        let bytes: UnsafeBufferPointer<UInt8>
        /// What stands between the window's start and the part.
        var preceding = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        /// Lines of the file before the window.
        let linesBefore: Int

        /// The number, from 1, of the line that begins at an offset of the part.
        func lineNumber(at offset: Int) -> Int {
            linesBefore + countLines(preceding) + countLines(UnsafeBufferPointer(rebasing: bytes[..<offset])) + 1
        }
    }

    /// The name that stands for standard input.
    static let standardInput = "-"
    private static let partSize = 1 << 20
    private static let partsInWindow = 16

    init(files: [String], encoding: String? = nil, threads: Int, progress: ProgressHandler?) {
        self.files = files
        self.encoding = encoding
        self.threads = max(1, threads)
        self.progress = progress
    }

    /// Calls `body` with each part, several at once, and `take` with what it returns, in the order of the text.
    func map<T: Sendable>(_ body: @Sendable (Part) throws -> T, take: (T) throws -> Void) throws {
        for (number, path) in files.enumerated() {
            progress?(ProgressUpdate(stage: "reading text", completed: number, total: files.count, note: path))
            try forEachWindow(of: path) { window, linesBefore in
                try mapWindow(window, path: path, linesBefore: linesBefore, body, take: take)
            }
        }
        progress?(ProgressUpdate(stage: "reading text", completed: files.count, total: files.count))
    }

    func isEmptyFile(_ path: String) throws -> Bool {
        try path != Self.standardInput && MappedFile(path).count == 0
    }

    /// Calls `body` with each part of a stretch of whole lines.
    func mapWindow<T: Sendable>(
        _ window: UnsafeBufferPointer<UInt8>, path: String, linesBefore: Int, _ body: @Sendable (Part) throws -> T,
        take: (T) throws -> Void
    ) throws {
        // Small texts are divided too, so that both cores have work.
        let count = max(threads, (window.count + Self.partSize - 1) / Self.partSize)
        let parts = lineRanges(of: window, parts: min(count, max(1, window.count >> 14))).map { range in
            Part(
                path: path, bytes: UnsafeBufferPointer(rebasing: window[range]),
                preceding: UnsafeBufferPointer(rebasing: window[..<range.lowerBound]), linesBefore: linesBefore)
        }
        for result in try concurrentMap(count: parts.count, threads: threads, { try body(parts[$0]) }) {
            try take(result)
        }
    }

    /// Calls `body` with one stretch of whole lines after the other, and the number of lines before it.
    func forEachWindow(of path: String, _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void) throws {
        if path == Self.standardInput {
            try forEachStreamedWindow(body)
        } else if encoding == nil, try !isPackedFile(path) {
            try forEachMappedWindow(of: path, size: Self.partSize * Self.partsInWindow, body)
        } else {
            try forEachUnpackedWindow(of: path, body)
        }
    }

    /// A window is held in memory beside what is made of it, so it is smaller than a mapped one.
    private func forEachUnpackedWindow(
        of path: String, _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) throws {
        var reader = try LineReader(path)
        let decoder = try encoding.map { try makeDecoder($0) }
        var buffer: [UInt8] = []
        var lines = 0
        var isAtEnd = false
        while !isAtEnd {
            isAtEnd = try reader.withNextLine { append($0, decoder, to: &buffer) } == nil
            if isAtEnd { decoder?.finish(into: &buffer) }
            guard isAtEnd || buffer.count >= Self.partSize * threads * 4 else { continue }
            try handOver(&buffer, isWhole: isAtEnd, &lines, body)
        }
    }

    /// Standard input as it comes, plain.
    private func forEachStreamedWindow(_ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void) throws {
        let decoder = try encoding.map { try makeDecoder($0) }
        var buffer: [UInt8] = []
        var lines = 0
        var isAtEnd = false
        while !isAtEnd {
            let chunk = try FileHandle.standardInput.read(upToCount: Self.partSize) ?? Data()
            isAtEnd = chunk.isEmpty
            let before = buffer.count
            chunk.withUnsafeBytes { decoder?.decode($0, into: &buffer) ?? buffer.append(contentsOf: $0) }
            if isAtEnd { decoder?.finish(into: &buffer) }
            // A line without end is searched for its end once, not again with each chunk.
            let isFull = buffer.count >= Self.partSize * threads * 4 && buffer[before...].contains(0x0A)
            if !isFull, !isAtEnd { continue }
            try handOver(&buffer, isWhole: isAtEnd, &lines, body)
        }
    }

    /// Calls `body` with the buffer's whole lines and takes them out.
    private func handOver(
        _ buffer: inout [UInt8], isWhole: Bool, _ lines: inout Int,
        _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) throws {
        let whole = isWhole ? buffer.count : (buffer.lastIndex(of: 0x0A) ?? -1) + 1
        try buffer.withUnsafeBufferPointer { all in
            let window = UnsafeBufferPointer(rebasing: all[..<whole])
            if !window.isEmpty { try body(window, lines) }
            lines += countLines(window)
        }
        buffer.removeSubrange(..<whole)
    }

    private func makeDecoder(_ name: String) throws(TrainingError) -> TextDecoder {
        if let decoder = TextDecoder(encoding: name) { return decoder }
        throw .badSpecification(
            flag: "encoding", reason: "there is no encoding \"\(name)\"; name one that iconv -l lists")
    }

    private func append(_ line: UnsafeRawBufferPointer, _ decoder: TextDecoder?, to buffer: inout [UInt8]) {
        if let decoder {
            decoder.decode(line, into: &buffer)
            withUnsafeBytes(of: UInt8(0x0A)) { decoder.decode($0, into: &buffer) }
        } else {
            buffer.append(contentsOf: line)
            buffer.append(0x0A)
        }
    }

    private func forEachMappedWindow(
        of path: String, size: Int, _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) throws {
        let file = try MappedFile(path)
        try file.withUnsafeBytes { raw in
            let bytes = raw.bindMemory(to: UInt8.self)
            var start = 0
            var lines = 0
            while start < bytes.count {
                let end = endOfLines(in: bytes, near: start + size)
                let window = UnsafeBufferPointer(rebasing: bytes[start..<end])
                try body(window, lines)
                if end < bytes.count { lines += countLines(window) }
                file.releasePages(start..<end)
                start = end
            }
        }
    }
}

/// The position after the line end that follows `position`, or the end of the text.
private func endOfLines(in text: UnsafeBufferPointer<UInt8>, near position: Int) -> Int {
    position >= text.count ? text.count : min(text.count, endOfLine(in: text, from: position) + 1)
}

/// The position of the next LF from `start` on, or the end of the text.
@inline(__always)
func endOfLine(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    guard let base = text.baseAddress, let found = memchr(base + start, 0x0A, text.count - start) else {
        return text.count
    }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
}

private func countLines(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var count = 0
    for byte in text where byte == 0x0A { count += 1 }
    return count
}

/// Ranges of about equal size that end at line ends and cover all.
private func lineRanges(of text: UnsafeBufferPointer<UInt8>, parts: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for part in partitions(of: text.count, into: parts) where part.upperBound > start {
        let end = endOfLines(in: text, near: part.upperBound)
        ranges.append(start..<end)
        start = end
    }
    return ranges
}
