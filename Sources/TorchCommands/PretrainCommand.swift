import ArgumentParser
import Collectives
import Commands
import FileIO
import Foundation
import OrderedJSON
import Partitioning
import Pretraining
import Torch

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
              kuoci pretrain --stages embeddings,lora --model resized --text zh.txt --heldout zh=zh.heldout.txt \\
                  --out run --steps 150 --set lora.learning_rate=1e-4

            Or by a recipe, whose values any option replaces; --dry-run says beforehand what it takes:
              kuoci pretrain --recipe kuoci --model resized --text zh.txt --out run --steps 150

            The run's directory gets recipe.yaml (every value in force: as --recipe it makes the run again), log.jsonl \
            (what every run gives again), timing.jsonl (speed and memory), tensorboard/, checkpoints/ (with \
            --save-every) and the result: adapter/ for PEFT from stage lora, model/ from the other two, and with \
            --keep-best the same of the best evaluation in best/. A run that was interrupted or killed continues with \
            --resume and ends with the same bytes.
            """)

    @OptionGroup(title: "Recipe") var recipe: PretrainRecipeOptions
    @OptionGroup(title: "What to train") var model: PretrainModelOptions
    @OptionGroup(title: "Text") var text: PretrainTextOptions
    @OptionGroup(title: "Steps") var steps: PretrainStepOptions
    @OptionGroup(title: "LoRA") var lora: PretrainLoRAOptions
    @OptionGroup(title: "Run") var place: PretrainRunOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if steps.steps != nil, steps.epochs != nil { throw ValidationError("give --steps or --epochs, not both") }
        if steps.warmupSteps != nil, steps.warmupRatio != nil {
            throw ValidationError("give --warmup-steps or --warmup-ratio, not both")
        }
        if !text.text.isEmpty, !text.mix.isEmpty { throw ValidationError("give --text or --mix, not both") }
        if place.out == nil, !recipe.dryRun { throw ValidationError("name the run's directory: --out") }
        if place.out?.isEmpty == true { throw ValidationError("--out \"\": name the run's directory") }
        if place.resume, place.force { throw ValidationError("give --resume or --force, not both") }
    }

    func run() throws {
        let quiet = progress.progress == .none
        let observer = RunObserver(
            progress: progress.handler(),
            note: { if !quiet { printDiagnostic($0) } },
            isStopped: { Interruption.hasArrived })
        do {
            let ranks = try Collectives.join()
            try ranks.together {
                if recipe.dryRun { return try printEstimates(ranks, observer) }
                let plan = try plan(threads: max(1, availableProcessors / ranks.sharing))
                if ranks.isLeader { for line in try plan.notes(on: given()) { observer.note(line) } }
                Interruption.watch()
                try plan.run(
                    resume: place.resume, force: place.force, observer: observer, ranks: ranks,
                    finished: { if ranks.isLeader { print($0.text) } })
            }
        } catch CollectivesError.ended, CollectivesError.stopped {
            // The process that failed, or saved the state, says so, and its exit code is the launcher's.
        } catch let error as PretrainingError {
            printDiagnostic("\(error)")
            switch error {
            case .interrupted:
                // Another process may have been asked, for all of them.
                throw ExitCode(Interruption.hasArrived ? Interruption.exitCode : 128 + SIGTERM)
            // A job that is queued again and again may end like this.
            case .alreadyFinished: throw ExitCode.success
            case .badOption: throw ExitCode.validationFailure
            default: throw ExitCode.failure
            }
        }
    }

    private func printEstimates(_ ranks: Collectives, _ observer: RunObserver) throws {
        guard ranks.isLeader else { return }
        let estimates = try plan().countedEstimates(processes: ranks.count, observer: observer)
        print(estimates.map(\.text).joined(separator: "\n\n"))
    }

    private func plan(threads: Int = availableProcessors) throws -> PretrainingPlan {
        try (recipe.recipe.map { try Recipe(named: $0) } ?? Recipe()).plan(
            options: options, overrides: recipe.overrides(), out: place.out ?? "",
            threads: min(threads, TorchRuntime.threadCounts.upperBound), isDry: recipe.dryRun)
    }

    private var options: [RecipeSetting] {
        let groups: [any RecipeOptions] = [model, text, steps, lora, place]
        return groups.flatMap(\.settings)
    }

    /// Every setting of the command line.
    private func given() throws -> [RecipeSetting] { try options + recipe.overrides() }
}

/// Groups NAME=FILE arguments by name, in the order in which the names first come.
func namedTexts(_ arguments: [String], option: String) throws -> [NamedText] {
    var result: [NamedText] = []
    for argument in arguments {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw ValidationError("\(option) \(argument): write NAME=FILE, such as zh=zh.heldout.txt")
        }
        let (name, path) = (parts[0], parts[1])
        if let index = result.firstIndex(where: { $0.name == name }) {
            result[index].paths.append(path)
        } else {
            result.append(NamedText(name: name, paths: [path]))
        }
    }
    return result
}
