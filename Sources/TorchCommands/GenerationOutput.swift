import Commands
import OrderedJSON
import Pretraining

/// Writes texts to standard output in their order, though several are made at once: the first unfinished one as it
/// comes, later ones when it is their turn.
struct GenerationOutput {
    private let prompts: [String]
    private let samples: Int
    private let isJSON: Bool
    private let output: TextOutput
    /// The text whose turn it is.
    private var current = 0
    /// What later texts have to say.
    private var waiting: [Int: (text: String, isFinished: Bool)] = [:]

    init(prompts: [String], samples: Int, isJSON: Bool) throws {
        self.prompts = prompts
        self.samples = samples
        self.isJSON = isJSON
        output = try TextOutput(nil)
    }

    mutating func show(_ update: TextUpdate) throws {
        let isFinished = update.finished != nil
        if update.number > current {
            waiting[update.number, default: ("", false)].text += shown(update)
            waiting[update.number]?.isFinished = isFinished
            return
        }
        try printNow(shown(update))
        guard isFinished else { return }
        current += 1
        while let next = waiting.removeValue(forKey: current) {
            try printNow(next.text)
            guard next.isFinished else { return }
            current += 1
        }
    }

    private mutating func shown(_ update: TextUpdate) -> String {
        if isJSON { return update.finished.map { $0.json.text(.line) + "\n" } ?? "" }
        let isFirst = started.insert(update.number).inserted
        let prompt = isFirst ? (update.number > 0 ? "\n" : "") + prompts[update.number / samples] : ""
        return prompt + update.text + (update.finished == nil ? "" : "\n")
    }

    /// Texts whose prompt was shown.
    private var started: Set<Int> = []

    private func printNow(_ text: String) throws {
        if !text.isEmpty { try output.write(text) }
    }
}
