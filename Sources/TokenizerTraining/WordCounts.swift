import FileIO
import Foundation
import Partitioning
import PieceModel
import Tokenizers
import UnicodeText

/// The stretches of normalized text inside which pieces can form, each with how often it occurs.
///
/// Text is cut wherever the rules forbid any piece to pass, so equal stretches can be counted once.
struct WordCounts: Sendable {
    private(set) var words = ByteStringTable(minimumCapacity: 1 << 12)
    private(set) var counts: [Int64] = []
    private(set) var sentences = 0
    private(set) var skippedLong = 0

    mutating func add(_ word: UnsafeBufferPointer<UInt8>, count: Int64) {
        let (index, inserted) = words.insert(word)
        if inserted { counts.append(count) } else { counts[index] += count }
    }

    /// Adds what another part of the corpus holds, in its order.
    mutating func merge(_ other: WordCounts) {
        other.words.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<other.words.count {
                add(UnsafeBufferPointer(rebasing: bytes[other.words.range(of: index)]), count: other.counts[index])
            }
        }
        sentences += other.sentences
        skippedLong += other.skippedLong
    }

    /// Counts the words of text files, one sentence a line. The result does not depend on the number of threads.
    init(
        files: [String], specification: Sentencepiece_TrainerSpec, normalizer: Normalizer, special: SpecialPieces,
        threads: Int, progress: ProgressHandler?
    ) throws {
        let cutter = SentenceCutter(specification: specification, normalizer: normalizer, special: special)
        for (number, path) in files.enumerated() {
            progress?(ProgressUpdate(stage: "reading text", completed: number, total: files.count, note: path))
            let isPacked = path.hasSuffix(".gz") || path.hasSuffix(".zst")
            if isPacked {
                try readUnpackedFile(path).withUnsafeBytes { try add(lines: $0, cutter, threads: threads) }
            } else {
                try MappedFile(path).withUnsafeBytes { try add(lines: $0, cutter, threads: threads) }
            }
        }
        progress?(ProgressUpdate(stage: "reading text", completed: files.count, total: files.count))
    }

    private init() {}

    /// Parts of the text are counted side by side and added up in order.
    private mutating func add(lines bytes: UnsafeRawBufferPointer, _ cutter: SentenceCutter, threads: Int) throws {
        let parts = lineRanges(of: bytes, parts: max(1, min(threads, bytes.count >> 16)))
        let text = SendableBytes(bytes: bytes.bindMemory(to: UInt8.self))
        let counted = try concurrentMap(count: parts.count, threads: threads) { part in
            var counts = WordCounts()
            counts.add(UnsafeBufferPointer(rebasing: text.bytes[parts[part]]), cutter)
            return counts
        }
        if words.count == 0, let first = counted.first {
            self = first
            for other in counted.dropFirst() { merge(other) }
        } else {
            for other in counted { merge(other) }
        }
    }

    private mutating func add(_ text: UnsafeBufferPointer<UInt8>, _ cutter: SentenceCutter) {
        var start = 0
        while start < text.count {
            let end = endOfLine(in: text, from: start)
            let line = UnsafeBufferPointer(rebasing: text[start..<end])
            switch cutter.verdict(on: line) {
            case .use:
                sentences += 1
                cutter.forEachWord(of: line) { add($0, count: 1) }
            case .tooLong: skippedLong += 1
            case .skip: break
            }
            start = end + 1
        }
    }
}

/// Bytes that outlive the threads that read them.
private struct SendableBytes: @unchecked Sendable {
    let bytes: UnsafeBufferPointer<UInt8>
}

private func endOfLine(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    guard let base = text.baseAddress,
        let found = memchr(base + start, 0x0A, text.count - start)
    else { return text.count }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
}

/// Ranges of about equal size that end at line ends and cover all.
private func lineRanges(of bytes: UnsafeRawBufferPointer, parts: Int) -> [Range<Int>] {
    let text = bytes.bindMemory(to: UInt8.self)
    var ranges: [Range<Int>] = []
    var start = 0
    for part in partitions(of: bytes.count, into: parts) {
        guard part.upperBound > start else { continue }
        let end =
            part.upperBound == text.count ? text.count : min(text.count, endOfLine(in: text, from: part.upperBound) + 1)
        ranges.append(start..<end)
        start = end
    }
    return ranges
}
