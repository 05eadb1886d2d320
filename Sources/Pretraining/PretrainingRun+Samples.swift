import Collectives
import LlamaModels
import OrderedJSON

extension PretrainingRun {
    /// Lets the model go on from each sample prompt and logs the texts all at once.
    ///
    /// Every time with the same draws, so that what changes is the model.
    func writeSamples() throws {
        // One process is enough for a few texts.
        guard ranks.isLeader else { return }
        var generation = GenerationOptions()
        generation.newTokens = options.sampleTokens
        generation.seed = options.seed
        var texts: [Int: GeneratedText] = [:]
        do {
            try model.generate(options.samplePrompts, generation, tokenizer: tokenizer) { update in
                if observer.isStopped() { throw StopRequest() }
                texts[update.number] = update.finished
            }
        } catch GenerationError.notFinite {
            // The next loss will say so too, and stop the run.
        }
        for (number, prompt) in options.samplePrompts.enumerated() { try logSample(prompt, number, texts[number]) }
    }

    private func logSample(_ prompt: String, _ number: Int, _ text: GeneratedText?) throws {
        try record([
            "event": "sample", "step": .integer(position.step), "prompt": .string(prompt),
            "text": text.map { .string($0.text) } ?? .null, "tokens": text.map { .integer($0.ids.count) } ?? .null,
            "end": text.map { .string($0.end.rawValue) } ?? .null,
        ])
        let shown = text.map { JSONValue.string(prompt + $0.text).text(.line) } ?? "none: its logits are no numbers"
        observer.note("step \(position.step): sample \(number + 1): \(shown)")
    }
}
