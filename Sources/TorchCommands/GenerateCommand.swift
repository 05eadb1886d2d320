import ArgumentParser
import Commands
import LlamaModels
import Pretraining

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: TensorVerb.generate.abstract,
        discussion: """
            Each text goes on from its prompt until the tokenizer's end piece, --max-new-tokens, or the end of its \
            --context. The defaults of sampling are those that the Chinese-LLaMA paper gives in its first \
            version; its last one has a repetition penalty of 1.1. The same model, prompts, options and seed give the same \
            text at any --threads.

            Example:
              kuoci generate --model out/export --prompt '人工智能是' --max-new-tokens 100
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @OptionGroup(title: "Model") var model: ModelArguments

    @Option(help: "A text to go on from; may be given several times.")
    var prompt: [String] = []

    @Option(help: "A file of prompts: .txt, one a line, or .jsonl, each a \"text\"; also .gz and .zst.")
    var prompts: String?

    @OptionGroup(title: "Sampling") var sampling: SamplingArguments

    @Option(help: "Texts computed at once.")
    var batchSize = 8

    @Option(help: "text (prompts and what follows, as it comes) or json (an object a line for each text).")
    var format = Format.text

    @Option(
        help: "Also write the logits and probabilities that the first text was drawn from to this safetensors file.")
    var record: String?

    @Flag(help: "Replace an older file of --record.")
    var force = false

    func validate() throws {
        if prompt.isEmpty, prompts == nil { throw ValidationError("say what to go on from: --prompt or --prompts") }
        do {
            try options.check()
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() throws {
        do {
            try writeTexts()
        } catch let error as GenerationError where error.isAboutOption {
            // One that only the model shows to be wrong.
            throw ValidationError("\(error)")
        }
    }

    private func writeTexts() throws {
        if let record { try checkOutput(record, replacing: force) }
        let prompts = try allPrompts()
        let generator = try TextGenerator(
            model: model.model, adapter: model.adapter, tokenizer: model.openTokenizer(), threads: model.threads,
            computation: model.computation())
        var output = try GenerationOutput(prompts: prompts, samples: sampling.samples, isJSON: format == .json)
        var recorded = GenerationRecord()
        var (tokens, characters) = (0, 0)
        let clock = ContinuousClock()
        let elapsed = try clock.measure {
            try generator.generate(prompts, options) { update in
                if record != nil, update.number == 0 { recorded.append(update.token) }
                tokens += 1
                characters += update.text.unicodeScalars.count
                try output.show(update)
            }
        }
        printDiagnostic(speed(tokens, characters, seconds: elapsed / .seconds(1)))
        if let record { try recorded.write(to: record) }
    }

    /// With the work on the prompts, but not with reading the model.
    private func speed(_ tokens: Int, _ characters: Int, seconds: Double) -> String {
        func rate(_ count: Int) -> String { fixed(Double(count) / seconds, 1) }
        return "\(tokens) tokens, \(characters) characters in \(fixed(seconds, 2)) s: \(rate(tokens)) tokens/s, "
            + "\(rate(characters)) characters/s"
    }

    private var options: GenerationOptions {
        var options = sampling.options
        options.batchSize = batchSize
        return options
    }

    private func allPrompts() throws -> [String] {
        try prompt + (prompts.map { try readPrompts($0) } ?? [])
    }
}

struct SamplingArguments: ParsableArguments {
    @Option(help: "Texts for each prompt.")
    var samples = 1

    @Option(help: "New tokens of a text at most.")
    var maxNewTokens = 512

    @Option(help: "No text ends before it has so many new tokens.")
    var minNewTokens = 0

    @Option(help: "Prompt and new tokens of a text at most (default: 2048, or what the model was made for if less).")
    var context: Int?

    @Option(help: "Logits are divided by it: below 1, likely tokens gain; 0: as --greedy.")
    var temperature = 0.2

    @Option(help: "Draw from so many likeliest tokens; 0: from all.")
    var topK = 40

    @Option(help: "Draw from the likeliest tokens that together reach this probability; 1: from all.")
    var topP = 0.9

    @Option(help: "Makes tokens that are in the prompt or the text already less likely; 1: not at all.")
    var repetitionPenalty = 1.3

    @Flag(help: "Always take the likeliest token, after the penalty.")
    var greedy = false

    @Option(help: "Seed of the draws.")
    var seed: UInt64 = 42

    var options: GenerationOptions {
        var options = GenerationOptions()
        options.samples = samples
        options.newTokens = maxNewTokens
        options.leastNewTokens = minNewTokens
        options.context = context
        options.seed = seed
        options.rule.temperature = temperature
        options.rule.topK = topK
        options.rule.topP = topP
        options.rule.repetitionPenalty = repetitionPenalty
        options.rule.isGreedy = greedy
        return options
    }
}
