import ArgumentParser
import Partitioning
import Pretraining
import Torch

let deviceHelp = "Where to compute: cpu, cuda, or cuda:N (its device N). CUDA needs a libtorch that was built for it."

/// A model to run, and what it runs on.
struct ModelArguments: ParsableArguments {
    @Option(help: "A Hugging Face model directory.")
    var model: String

    @Option(help: "A PEFT adapter directory to apply to the model.")
    var adapter: String?

    @Option(help: "A .model file, or a directory with tokenizer.model (default: the model's own).")
    var tokenizer: String?

    @OptionGroup var computing: ComputationArguments

    var threads: Int { computing.threads }

    func computation() throws -> Computation { try computing.computation() }

    func openTokenizer() throws -> TrainingTokenizer {
        try TrainingTokenizer(contentsOf: tokenizer ?? model)
    }
}

/// What a model is computed on.
struct ComputationArguments: ParsableArguments {
    @Option(help: ArgumentHelp(deviceHelp, valueName: "cpu|cuda|cuda:N"))
    var device = DeviceChoice.cpu

    @Option(help: "fp32, bf16, or on CUDA fp16: what products of matrices and attention are computed in.")
    var precision = Precision.fp32

    @Option(help: "Threads to compute on (default: every processor).")
    var threads = availableProcessors

    func validate() throws {
        guard (1...1 << 20).contains(threads) else { throw ValidationError("--threads \(threads): must be at least 1") }
    }

    func computation() throws -> Computation {
        do {
            return try Computation(device, precision)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// How texts that are measured are cut up.
struct BlockArguments: ParsableArguments {
    @Option(help: "What a document is in a .txt file, as for pretrain.")
    var documents = TextDivision.lines

    @Option(help: "Tokens in a block: no token sees further back.")
    var blockSize = 512

    @Option(help: "Blocks computed at once.")
    var batchSize = 4
}
