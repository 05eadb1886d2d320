import ArgumentParser
import Commands
import FileIO
import Foundation
import OrderedJSON
import Partitioning
import Pretraining

struct PretrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: TensorVerb.pretrain.abstract,
        discussion: """
            Text is one document a line (.txt; with --documents paragraphs, one between blank lines), or JSON lines \
            with a "text" (.jsonl), both also as .gz and .zst. \
            Documents end with the tokenizer's end piece and never see one another. The loss before and after is \
            measured on each --heldout text.

            Example, stage 1 and then stage 2 on its result:
              kuoci pretrain --stage embeddings --model resized --text zh.txt --heldout zh=zh.heldout.txt \\
                  --out stage1 --steps 150
              kuoci pretrain --stage lora --model stage1/model --text zh.txt --heldout zh=zh.heldout.txt \\
                  --out stage2 --steps 150

            The run's directory gets log.jsonl (what every run gives again), timing.jsonl (speed and memory), \
            tensorboard/, checkpoints/ (with --save-every) and the result: adapter/ for PEFT from stage lora, model/ \
            from the other two, and with --keep-best the same of the best evaluation in best/. A run that was \
            interrupted or killed continues with --resume and ends with the same bytes.
            """)

    @OptionGroup(title: "What to train") var model: PretrainModelOptions
    @OptionGroup(title: "Text") var text: PretrainTextOptions
    @OptionGroup(title: "Steps") var steps: PretrainStepOptions
    @OptionGroup(title: "LoRA") var lora: PretrainLoRAOptions
    @OptionGroup(title: "Run") var place: PretrainRunOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if steps.steps != nil, steps.epochs != nil { throw ValidationError("give --steps or --epochs, not both") }
        if steps.steps == nil, steps.epochs == nil { throw ValidationError("say how long: --steps or --epochs") }
        if text.text.isEmpty, text.mix.isEmpty { throw ValidationError("say what to train on: --text or --mix") }
        if !text.text.isEmpty, !text.mix.isEmpty { throw ValidationError("give --text or --mix, not both") }
        if place.resume, place.force { throw ValidationError("give --resume or --force, not both") }
    }

    func run() throws {
        let quiet = progress.progress == .none
        let observer = RunObserver(
            progress: progress.handler(),
            note: { if !quiet { printDiagnostic($0) } },
            isStopped: { Interruption.hasArrived })
        Interruption.watch()
        do {
            let options = try resolved()
            let tokenizer = try TrainingTokenizer(contentsOf: options.tokenizer ?? options.model)
            let run = try PretrainingRun(
                options, tokenizer: tokenizer, resume: place.resume, force: place.force, observer: observer)
            print(try run.run().text)
        } catch let error as PretrainingError {
            printDiagnostic("\(error)")
            switch error {
            case .interrupted: throw ExitCode(Interruption.exitCode)
            // A job that is queued again and again may end like this.
            case .alreadyFinished: throw ExitCode.success
            case .badOption: throw ExitCode.validationFailure
            default: throw ExitCode.failure
            }
        }
    }

    private func resolved() throws -> PretrainingOptions {
        var options = PretrainingOptions(
            model: model.model, text: text.text, stage: model.stage, out: place.out,
            length: steps.epochs.map { .epochs($0) } ?? .steps(steps.steps ?? 0), threads: place.threads)
        model.apply(to: &options)
        options.mix = try mixedTexts(text.mix)
        options.holdOut = text.holdOut
        options.attendsAcrossDocuments = text.attendAcrossDocuments
        options.heldOut = try namedTexts(text.heldout, option: "--heldout")
        options.documents = text.documents
        options.blockSize = text.blockSize
        options.cache = text.cache
        steps.apply(to: &options)
        lora.apply(to: &options)
        options.seed = place.seed
        options.evaluateEvery = place.evaluateEvery
        options.keepsBest = place.keepBest
        options.bestBy = place.bestBy
        options.patience = place.patience
        options.saveEvery = place.saveEvery
        options.recordBatches = place.recordBatches
        return options
    }
}

/// Reads NAME=WEIGHT:FILE arguments and joins those of one name.
func mixedTexts(_ arguments: [String]) throws -> [WeightedText] {
    let parts = try arguments.map { argument in
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = parts.last?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, rest.count == 2, !parts[0].isEmpty, !rest[1].isEmpty else {
            throw ValidationError("--mix \(argument): write NAME=WEIGHT:FILE, such as zh=0.8:zh.txt")
        }
        guard let weight = MixWeight(rest[0]) else {
            throw ValidationError(
                "--mix \(argument): the weight must be above 0, at most 1000, with at most six digits behind the point")
        }
        return WeightedText(name: String(parts[0]), weight: weight, paths: [String(rest[1])])
    }
    return try WeightedText.joined(parts)
}

/// Groups NAME=FILE arguments by name, in the order in which the names first come.
func namedTexts(_ arguments: [String], option: String) throws -> [NamedText] {
    var result: [NamedText] = []
    for argument in arguments {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
            throw ValidationError("\(option) \(argument): write NAME=FILE, such as zh=zh.heldout.txt")
        }
        let name = String(argument[..<equals])
        let path = String(argument[argument.index(after: equals)...])
        if let index = result.firstIndex(where: { $0.name == name }) {
            result[index].paths.append(path)
        } else {
            result.append(NamedText(name: name, paths: [path]))
        }
    }
    return result
}
