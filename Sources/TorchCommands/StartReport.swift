import CheckpointResizing
import Commands
import OrderedJSON
import Pretraining

/// What `kuoci init-compare` shows.
struct StartReport {
    let resizer: VocabularyResizer
    let before: [Evaluation]
    let results: [StartComparison.Result]

    /// Best first; of equal ones, and those that are no number, in the order in which they were tried.
    private var ranked: [StartComparison.Result] {
        results.enumerated().sorted { left, right in
            let (first, second) = (key(left.element), key(right.element))
            return first == second ? left.offset < right.offset : first < second
        }.map(\.element)
    }

    private func key(_ result: StartComparison.Result) -> Double {
        result.bitsPerByte.isNaN ? .infinity : result.bitsPerByte
    }

    private var rows: Int { resizer.entries - resizer.oldEntries }

    var table: String {
        let names = before.count > 1 ? before.map(\.name) : []
        let header = ["input", "head", "norm", "bits per byte"] + names + ["seconds", "for the rows"]
        let lines = ranked.map { result in
            [result.starts.input.rawValue, result.starts.head.rawValue, result.starts.norm.rawValue]
                + bits(result.evaluations) + [fixed(result.seconds, 1), fixed(result.rowSeconds, 2)]
        }
        let own = ["(its own tokenizer)", "", ""] + bits(before)
        return ([counts] + [alignedTable([header] + lines + [own])]).joined(separator: "\n")
    }

    private func bits(_ evaluations: [Evaluation]) -> [String] {
        let each = evaluations.count > 1 ? evaluations.map(\.bitsPerByte) : []
        return ([bitsPerByte(of: evaluations)] + each).map { fixed($0, 4) }
    }

    /// Rows, bytes and tokens in one line.
    private var counts: String {
        let texts = before.enumerated().map { place, text in
            let tokens = results.first?.evaluations[place].targets ?? 0
            return "\(text.name): \(text.textBytes) bytes, \(tokens) tokens (\(text.targets) with its own tokenizer)"
        }
        return "\(rows) new rows; " + texts.joined(separator: "; ")
    }

    var json: JSONValue {
        [
            "rows": .integer(rows), "before": .array(before.map(\.json)),
            "starts": .array(
                ranked.map { result in
                    var value: JSONValue = [:]
                    result.starts.addMembers(to: &value)
                    value["bits_per_byte"] = .double(result.bitsPerByte)
                    value["texts"] = .array(result.evaluations.map(\.json))
                    value["seconds"] = .double(result.seconds)
                    value["row_seconds"] = .double(result.rowSeconds)
                    return value
                }),
        ]
    }
}
