import ArgumentParser
import FileIO
@preconcurrency import Foundation

/// Where lines are read from and written to.
struct TextFileOptions: ParsableArguments {
    @Option(help: "The file to read, plain, gzip or zstd (default: standard input).")
    var input: String?

    @Option(help: "The file to write (default: standard output).")
    var output: String?

    /// Writes what `body` makes of each line, in order; a named output file appears only when all went well.
    func mapLines(_ body: (UnsafeBufferPointer<UInt8>) throws -> [UInt8]) throws {
        if let output {
            var file = try OutputFile(output)
            try forEachInputLine { line in
                try file.write(body(line))
                try file.write(CollectionOfOne(0x0A))
            }
            try file.commit()
        } else {
            var buffer: [UInt8] = []
            try forEachInputLine { line in
                buffer.append(contentsOf: try body(line))
                buffer.append(0x0A)
                if buffer.count >= 1 << 16 {
                    FileHandle.standardOutput.write(Data(buffer))
                    buffer.removeAll(keepingCapacity: true)
                }
            }
            FileHandle.standardOutput.write(Data(buffer))
        }
    }

    private func forEachInputLine(_ body: (UnsafeBufferPointer<UInt8>) throws -> Void) throws {
        if let input {
            try forEachLine(of: input) { line in try body(line.bindMemory(to: UInt8.self)) }
            return
        }
        // `getline` hands lines on as they come, so that a pipe is answered without waiting for its end.
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while true {
            let count = getline(&line, &capacity, stdin)
            guard count > 0, let line else { return }
            let bytes = UnsafeRawBufferPointer(start: line, count: count).bindMemory(to: UInt8.self)
            try body(UnsafeBufferPointer(rebasing: bytes.last == 0x0A ? bytes.dropLast() : bytes[...]))
        }
    }
}

/// The model file that a path names: itself, or tokenizer.model in the directory.
func tokenizerPath(_ path: String) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
        return path
    }
    return path + "/tokenizer.model"
}
