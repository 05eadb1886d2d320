import Collectives
import LlamaModels
import OrderedJSON

extension PretrainingOptions {
    /// How samples are written.
    var sampling: GenerationOptions {
        var sampling = GenerationOptions()
        sampling.newTokens = sampleTokens
        sampling.seed = seed
        return sampling
    }

    /// - Throws: `PretrainingError.badOption` for a sample prompt that leaves the model no room for a text.
    func checkSamplePrompts(_ tokenizer: TrainingTokenizer, limit: Int) throws {
        for prompt in samplePrompts {
            let count = (tokenizer.beginID == nil ? 0 : 1) + (try tokenizer.encode(Array(prompt.utf8)).count)
            if (1..<limit).contains(count) { continue }
            throw PretrainingError.badOption(
                name: "--sample-prompt", value: String(prompt.prefix(40)) + (prompt.count > 40 ? "..." : ""),
                need: count == 0
                    ? "has no tokens to go on from; give some text"
                    : "has \(count) tokens, where the model has room for \(limit), prompt and text together; shorten it"
            )
        }
    }
}

extension PretrainingRun {
    /// Lets the model go on from each sample prompt and logs the texts all at once.
    ///
    /// Every time with the same draws, so that what changes is the model.
    func writeSamples() throws {
        // One process is enough for a few texts.
        guard ranks.isLeader else { return }
        var texts: [Int: GeneratedText] = [:]
        do {
            try model.generate(options.samplePrompts, options.sampling, tokenizer: tokenizer) { update in
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
