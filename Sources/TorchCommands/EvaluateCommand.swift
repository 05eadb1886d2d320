import ArgumentParser
import Commands
import Foundation
import OrderedJSON
import Pretraining

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: TensorVerb.evaluate.abstract,
        discussion: """
            Bits per byte compare between vocabularies; loss and perplexity only within one.

            Example:
              kuoci evaluate --model out/export --text zh=zh.heldout.txt --text en=en.heldout.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @OptionGroup(title: "Model") var model: ModelArguments

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Texts, as for pretrain --heldout.", valueName: "name=file"))
    var text: [String]

    @OptionGroup(title: "Measuring") var blocks: BlockArguments

    @Option(help: "text (a table) or json (an array of objects, one for each text).")
    var format = Format.text

    @Option(help: "Also write the first block of the first text and its logits to this safetensors file.")
    var logits: String?

    @Flag(help: "Replace an older file of --logits.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func run() throws {
        if let logits { try checkOutput(logits, replacing: force) }
        let measurement = try ModelMeasurement(
            model: model.model, adapter: model.adapter, tokenizer: model.openTokenizer(),
            texts: namedTexts(text, option: "--text"), documents: blocks.documents,
            blockSize: blocks.blockSize, batchSize: blocks.batchSize, threads: model.threads,
            computation: model.computation())
        if let limit = measurement.positionLimit, blocks.blockSize > limit { noteLongBlocks(limit) }
        if let logits { try measurement.writeLogits(logits) }
        let results = try measurement.evaluate(progress: progress.handler())
        try TextOutput(nil).write(text(of: results) + "\n")
        try results.checkFinite(model: model.model)
    }

    private func noteLongBlocks(_ limit: Int) {
        printDiagnostic(
            "kuoci: \(model.model): was made for \(limit) positions (max_position_embeddings), so with --block-size "
                + "\(blocks.blockSize) longer documents may measure worse; give --block-size \(limit)")
    }

    private func text(of results: [Evaluation]) -> String {
        switch format {
        case .text: evaluationTable(results)
        case .json: JSONValue.array(results.map(\.json)).text(.pretty)
        }
    }
}

/// Names, losses, perplexities, bits per byte, tokens and bytes in columns.
func evaluationTable(_ results: [Evaluation]) -> String {
    let header = ["text", "loss", "perplexity", "bits per byte", "tokens", "bytes"]
    let rows = results.map { result in
        [
            result.name, String(format: "%.4f", result.loss), String(format: "%.2f", result.perplexity),
            String(format: "%.4f", result.bitsPerByte), "\(result.targets)", "\(result.textBytes)",
        ]
    }
    return alignedTable([header] + rows)
}
