import FileIO
import Partitioning

/// Some lines of a file, one after the other in memory. One thread has it at a time.
final class LineBatch<Result>: @unchecked Sendable {
    fileprivate(set) var path = ""
    fileprivate(set) var firstNumber = 1
    fileprivate var bytes: [UInt8] = []
    fileprivate var ends: [Int] = []
    fileprivate var result: Result?

    var count: Int { ends.count }

    func forEachLine(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for end in ends {
                body(UnsafeBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
    }
}

/// Works on the lines of files on all cores, and takes the results in the order of the lines.
func forEachLineBatch<Result>(
    of paths: [String], _ work: @Sendable (LineBatch<Result>) -> Result,
    taking take: @Sendable (Result, LineBatch<Result>) throws -> Void
) throws {
    let lines = LinesOfFiles(paths)
    let batches = (0..<2 * availableProcessors).map { _ in LineBatch<Result>() }
    try processInOrder(batches, threads: availableProcessors) { batch in
        try lines.fill(batch)
    } transform: { batch in
        batch.result = work(batch)
    } drain: { batch in
        if let result = batch.result { try take(result, batch) }
    }
}

/// The lines of files, one after the other; one thread uses it at a time.
private final class LinesOfFiles: @unchecked Sendable {
    private var paths: [String]
    private var reader: LineReader?

    private static let batchSize = 1 << 18

    init(_ paths: [String]) {
        self.paths = paths.reversed()
    }

    func fill<Result>(_ batch: LineBatch<Result>) throws -> Bool {
        batch.bytes.removeAll(keepingCapacity: true)
        batch.ends.removeAll(keepingCapacity: true)
        while batch.count == 0 {
            if reader == nil {
                guard let path = paths.popLast() else { return false }
                reader = try LineReader(path)
            }
            batch.path = reader?.path ?? ""
            batch.firstNumber = (reader?.lineNumber ?? 0) + 1
            while batch.bytes.count < Self.batchSize {
                let found: Void? = try reader?.withNextLine { line in
                    batch.bytes.append(contentsOf: line)
                    batch.ends.append(batch.bytes.count)
                }
                if found == nil {
                    reader = nil
                    break
                }
            }
        }
        return true
    }
}
