import ArgumentParser
import Partitioning
import Pretraining

/// A model to run, and what it runs on.
struct ModelArguments: ParsableArguments {
    @Option(help: "A Hugging Face model directory.")
    var model: String

    @Option(help: "A PEFT adapter directory to apply to the model.")
    var adapter: String?

    @Option(help: "A .model file, or a directory with tokenizer.model (default: the model's own).")
    var tokenizer: String?

    @Option(help: "Threads to compute on (default: every processor).")
    var threads = availableProcessors

    func validate() throws {
        guard (1...1 << 20).contains(threads) else { throw ValidationError("--threads \(threads): must be at least 1") }
    }

    func openTokenizer() throws -> TrainingTokenizer {
        try TrainingTokenizer(contentsOf: tokenizer ?? model)
    }
}
