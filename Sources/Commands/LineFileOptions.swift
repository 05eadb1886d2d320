import ArgumentParser
import FileIO
import Foundation
import Partitioning

/// Where lines are read from and written to, and on how many cores they are worked on.
struct LineFileOptions: ParsableArguments {
    @Option(help: "A file to read, plain, gzip or zstd; may be given several times (default: standard input).")
    var input: [String] = []

    @Argument(help: "More files to read.")
    var files: [String] = []

    @Option(help: "The file to write (default: standard output).")
    var output: String?

    @Option(help: "Cores to use (default: all).")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
    }

    var paths: [String] { input + files }

    /// Turns lines into text on several cores, in order, with a few blocks of lines in memory at a time.
    ///
    /// A named output file appears only when all went well.
    ///
    /// - Parameter ending: what is written when all lines are done.
    func process(_ makeWorker: () -> any LineWorker, ending: () -> String = { "" }) throws {
        let threads = threads ?? availableProcessors
        let reader = LineBlockReader(paths)
        let writer = try TextOutput(output)
        // Two blocks a core: one is worked on while another waits for its turn to be written.
        let blocks = (0..<2 * threads).map { _ in LineBlock(worker: makeWorker()) }
        try processInOrder(blocks, threads: threads) { block in
            try reader.fill(block)
        } transform: { block in
            try block.process()
        } drain: { block in
            try block.worker.flush(to: writer)
        }
        try writer.write(ending())
        try writer.commit()
    }
}

/// Turns lines into text.
protocol LineWorker: AnyObject {
    /// - Parameter number: the line's number in all of the input, from 1.
    func process(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws

    /// Writes the text of the lines since the last time.
    func flush(to output: TextOutput) throws
}

/// Some lines, and what is made of them. One thread has it at a time.
final class LineBlock: @unchecked Sendable {
    let worker: any LineWorker
    /// The lines, if they were copied.
    var storage: [UInt8] = []
    /// The file and the bytes of it that are the lines, if they were not.
    var mapped: (file: MappedFile, range: Range<Int>)?
    /// The number of the first line.
    var firstNumber = 1

    init(worker: any LineWorker) {
        self.worker = worker
    }

    func process() throws {
        if let (file, range) = mapped {
            try file.withUnsafeBytes { try process(UnsafeRawBufferPointer(rebasing: $0[range])) }
        } else {
            try storage.withUnsafeBytes { try process($0) }
        }
    }

    private func process(_ bytes: UnsafeRawBufferPointer) throws {
        let bytes = bytes.bindMemory(to: UInt8.self)
        var number = firstNumber
        var start = 0
        while start < bytes.count {
            let end = bytes.firstLineFeed(from: start) ?? bytes.count
            try worker.process(UnsafeBufferPointer(rebasing: bytes[start..<end]), number: number)
            number += 1
            start = end + 1
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Where the next LF stands at or after a place.
    func firstLineFeed(from start: Int) -> Int? {
        // memchr looks at [start, count) only.
        guard start < count, let base = baseAddress, let hit = memchr(base + start, 0x0A, count - start) else {
            return nil
        }
        return UnsafeRawPointer(hit) - UnsafeRawPointer(base)
    }
}

/// Where the text goes: a file that appears when it is whole, or standard output.
package final class TextOutput: @unchecked Sendable {
    private var file: OutputFile?

    /// - Parameter path: nil or empty for standard output.
    package init(_ path: String?) throws {
        if let path, !path.isEmpty { file = try OutputFile(path) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        if file == nil { return try writeToStandardOutput(bytes) }
        try file?.write(bytes: bytes)
    }

    package func write(_ text: String) throws {
        try Array(text.utf8).withUnsafeBytes { try write($0) }
    }

    func commit() throws {
        try file.take()?.commit()
    }
}

private func writeToStandardOutput(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest)
        let count = Foundation.write(STDOUT_FILENO, part.baseAddress, part.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 {
            throw FileError.unwritable(path: "standard output", reason: String(cString: strerror(errno)))
        }
        rest = rest.dropFirst(count)
    }
}

/// The model file that a path names: itself, or tokenizer.model in the directory.
package func tokenizerPath(_ path: String) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
        return path
    }
    return path + "/tokenizer.model"
}
