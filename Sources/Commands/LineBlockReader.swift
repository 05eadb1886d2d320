import FileIO
import Foundation

/// Cuts files, or standard input, into blocks of whole lines.
///
/// A plain file's lines are not copied; of a packed one and of standard input a block holds a quarter of a MiB or one
/// longer line. One thread uses it at a time.
final class LineBlockReader: @unchecked Sendable {
    private var sources: [Source]
    private var nextNumber = 1

    private enum Source {
        case file(path: String)
        case mapped(MappedFile, start: Int)
        case packed(PackedLines)
        case standardInput(InputStream)
    }

    private static let blockSize = 1 << 18
    /// A longer line is taken for a mistake; it could not be encoded as one text.
    static let longestLine = 1 << 29 - 1

    /// - Parameter paths: of files that are read one after the other; none: standard input.
    init(_ paths: [String]) {
        sources = paths.isEmpty ? [.standardInput(InputStream())] : paths.reversed().map { .file(path: $0) }
    }

    /// Gives a block the lines that come next; false if there are none left.
    func fill(_ block: LineBlock) throws -> Bool {
        block.mapped = nil
        block.storage.removeAll(keepingCapacity: true)
        block.firstNumber = nextNumber
        while let source = sources.popLast() {
            if let rest = try fill(block, from: source) { sources.append(rest) }
            if block.mapped != nil || !block.storage.isEmpty {
                nextNumber += countLines(block)
                return true
            }
        }
        return false
    }

    /// Gives a block lines of a source, if it has any; returns what is left of the source, if anything is.
    private func fill(_ block: LineBlock, from source: Source) throws -> Source? {
        switch source {
        case .file(let path): return try open(path)
        case .mapped(let file, let start):
            let end = try endOfBlock(in: file, from: start)
            if end > start { block.mapped = (file, start..<end) }
            return end < file.count ? .mapped(file, start: end) : nil
        case .packed(let lines):
            return try lines.read(into: &block.storage, atLeast: Self.blockSize) ? source : nil
        case .standardInput(let stream):
            return try stream.readLines(into: &block.storage, atMost: Self.blockSize) ? source : nil
        }
    }

    private func open(_ path: String) throws -> Source {
        let file = try MappedFile(path)
        let isPlain = try file.isPlain()
        return isPlain ? .mapped(file, start: 0) : .packed(try PackedLines(path))
    }

    /// The end of the last line that begins within a block's size.
    private func endOfBlock(in file: MappedFile, from start: Int) throws -> Int {
        let near = min(start + Self.blockSize, file.count)
        if near == file.count { return near }
        let end = file.withUnsafeBytes { bytes in
            bytes.bindMemory(to: UInt8.self).firstLineFeed(from: near).map { $0 + 1 } ?? file.count
        }
        guard end - start <= Self.longestLine else {
            throw FileError.unreadable(
                path: file.path, reason: "a line after byte \(start) is longer than \(Self.longestLine) bytes")
        }
        return end
    }

    private func countLines(_ block: LineBlock) -> Int {
        func count(_ bytes: UnsafeRawBufferPointer) -> Int {
            let bytes = bytes.bindMemory(to: UInt8.self)
            var lines = 0
            var start = 0
            while let lineFeed = bytes.firstLineFeed(from: start) {
                lines += 1
                start = lineFeed + 1
            }
            return start < bytes.count ? lines + 1 : lines
        }
        if let (file, range) = block.mapped {
            return file.withUnsafeBytes { count(UnsafeRawBufferPointer(rebasing: $0[range])) }
        }
        return block.storage.withUnsafeBytes { count($0) }
    }
}

/// The lines of a packed file.
private final class PackedLines {
    private var reader: LineReader

    init(_ path: String) throws {
        reader = try LineReader(path, longestLine: LineBlockReader.longestLine)
    }

    /// Appends lines until there are so many bytes; false at the end.
    func read(into storage: inout [UInt8], atLeast size: Int) throws -> Bool {
        while storage.count < size {
            let found: Void? = try reader.withNextLine { line in
                storage.append(contentsOf: line)
                storage.append(0x0A)
            }
            if found == nil { return false }
        }
        return true
    }
}

/// Standard input: what has come is handed on at once, so that a pipe is answered without waiting for its end.
private final class InputStream {
    /// The beginning of a line whose end has not come yet.
    private var rest: [UInt8] = []

    /// Appends the whole lines that have come, at least one; false at the end.
    func readLines(into storage: inout [UInt8], atMost size: Int) throws -> Bool {
        swap(&storage, &rest)
        rest.removeAll(keepingCapacity: true)
        while true {
            let old = storage.count
            storage.append(contentsOf: repeatElement(0, count: size))
            let count = storage.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress! + old, size) }
            storage.removeLast(size - max(count, 0))
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                throw FileError.unreadable(path: "standard input", reason: String(cString: strerror(errno)))
            }
            if count == 0 { return false }
            if let end = storage[old...].lastIndex(of: 0x0A) {
                rest.append(contentsOf: storage[(end + 1)...])
                storage.removeLast(storage.count - end - 1)
                return true
            }
            guard storage.count <= LineBlockReader.longestLine else {
                throw FileError.unreadable(
                    path: "standard input", reason: "a line is longer than \(LineBlockReader.longestLine) bytes")
            }
        }
    }
}
