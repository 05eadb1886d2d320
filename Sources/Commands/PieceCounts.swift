import PieceModel
import Tokenizers

/// How often each piece comes in a text, as spm_encode's `--generate_vocabulary` counts.
final class PieceCounts {
    /// The counts of one worker; one thread has it at a time.
    final class Lane {
        fileprivate var counts: [String: Int] = [:]

        func add(_ piece: String) { counts[piece, default: 0] += 1 }
    }

    private var lanes: [Lane] = []

    func lane() -> Lane {
        let lane = Lane()
        lanes.append(lane)
        return lane
    }

    /// A line for each piece, the most frequent first, equal ones in byte order.
    var text: String {
        var total: [String: Int] = [:]
        for lane in lanes { total.merge(lane.counts, uniquingKeysWith: +) }
        let sorted = total.sorted { left, right in
            left.value != right.value
                ? left.value > right.value : left.key.utf8.lexicographicallyPrecedes(right.key.utf8)
        }
        return sorted.map { "\($0.key)\t\($0.value)\n" }.joined()
    }
}

/// Counts the pieces of lines, unknown and control pieces aside.
final class CountingWorker: LineWorker {
    private let lane: PieceCounts.Lane
    private let tokenizer: Tokenizer
    private let options: EncodingOptions

    init(_ lane: PieceCounts.Lane, _ tokenizer: Tokenizer, _ options: EncodingOptions) {
        self.lane = lane
        self.tokenizer = tokenizer
        self.options = options
    }

    func process(_ line: UnsafeBufferPointer<UInt8>, number: Int) {
        for piece in tokenizer.encodePieces(utf8: line, options: options) {
            let type = tokenizer.vocabulary.type(of: piece.id)
            if type != .unknown, type != .control { lane.add(piece.text) }
        }
    }

    /// What was counted is written at the end.
    func flush(to output: TextOutput) {}
}
