import ArgumentParser
import FileIO
import Foundation
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

    @Option(
        help: """
            A .model or tokenizer.json file, or a directory with tokenizer.model or else tokenizer.json (default: the \
            model's own).
            """)
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
    var threads = min(availableProcessors, TorchRuntime.threadCounts.upperBound)

    func validate() throws {
        let range = TorchRuntime.threadCounts
        guard range.contains(threads) else {
            throw ValidationError("--threads \(threads): must be \(range.lowerBound) to \(range.upperBound)")
        }
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

    func validate() throws {
        do {
            try checkSizes(blockSize: blockSize, batchSize: batchSize)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// Shows before the work what would keep a file from being written after it.
///
/// - Parameter replacing: Whether an older file may be there.
func checkOutput(_ path: String, replacing: Bool) throws {
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
        if isDirectory.boolValue { throw FileError.notAFile(path: path) }
        if !replacing { throw FileError.alreadyExists(path: path) }
    }
    // Dropped at once, it leaves nothing behind.
    _ = try OutputFile(path)
}
