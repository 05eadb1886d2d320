import Partitioning
import PieceModel
import SeededRandom

/// The sentences that `input_sentence_size` chooses, as lines that are read like a file's.
///
/// Without shuffling they are the first ones. With it each sentence has the same chance: a reservoir, whose draws depend
/// on the seed alone (sentencepiece 0.2.3 draws anew in each run, so its choice cannot be reproduced).
struct SentenceSample {
    /// The chosen lines, each with its LF, in the order in which they are trained on.
    private(set) var text: [UInt8] = []
    /// Of all lines read.
    private(set) var tally = LineTally()

    init(
        of parts: LineParts, preparation: SentencePreparation, specification: Sentencepiece_TrainerSpec, seed: UInt32
    ) throws {
        var reservoir = Reservoir(
            size: Int(clamping: specification.inputSentenceSize), shuffles: specification.shuffleInputSentence,
            seed: seed)
        for (number, path) in parts.files.enumerated() {
            parts.progress?(
                ProgressUpdate(stage: "sampling text", completed: number, total: parts.files.count, note: path))
            try parts.forEachWindow(of: path) { window, linesBefore in
                if reservoir.isComplete { return }
                try read(LineParts.Part(path: path, bytes: window, linesBefore: linesBefore), preparation, &reservoir)
            }
            if reservoir.isComplete { break }
        }
        let files = parts.files.count
        parts.progress?(ProgressUpdate(stage: "sampling text", completed: files, total: files))
        for line in reservoir.lines {
            text.append(contentsOf: line)
            text.append(0x0A)
        }
    }

    private mutating func read(
        _ part: LineParts.Part, _ preparation: SentencePreparation, _ reservoir: inout Reservoir
    ) throws {
        try forEachLine(of: part) { start, line in
            if reservoir.isComplete { return }
            switch preparation.verdict(on: line) {
            case .use(let text, let frequency):
                tally.addSentence(bytes: text.count, frequency: frequency)
                reservoir.add(line)
            case .empty: tally.empty += 1
            case .tooLong: tally.tooLong += 1
            case .reserved: tally.reserved += 1
            case .malformed(let reason):
                throw TrainingError.malformedLine(path: part.path, line: part.lineNumber(at: start), reason: reason)
            }
        }
    }
}

/// A sample of fixed size from a stream of unknown length.
private struct Reservoir {
    private(set) var lines: [[UInt8]] = []
    private let size: Int
    private let shuffles: Bool
    private var total = 0
    private var generator: SplitMix64

    init(size: Int, shuffles: Bool, seed: UInt32) {
        self.size = size
        self.shuffles = shuffles
        generator = SplitMix64(seed: UInt64(seed))
    }

    /// Whether later lines change nothing.
    var isComplete: Bool { !shuffles && lines.count >= size }

    mutating func add(_ line: UnsafeBufferPointer<UInt8>) {
        total += 1
        if lines.count < size {
            lines.append(Array(line))
            return
        }
        let place = Int.random(in: 0..<total, using: &generator)
        if place < size { lines[place] = Array(line) }
    }
}
