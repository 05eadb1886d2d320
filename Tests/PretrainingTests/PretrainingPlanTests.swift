import FileIO
import Foundation
import OrderedJSON
import PieceModel
import Synchronization
import TestSupport
import Testing

@testable import Pretraining

// Libtorch's threads are the process's: one test at a time.
@Suite(.serialized) struct PretrainingPlanTests {
    private func makeInputs(in directory: String) throws {
        try makeTinyModel(in: directory + "/model")
        try writeFile(directory + "/text.txt", sampleDocuments(20).joined(separator: "\n").utf8)
    }

    private func plan(in directory: String, out: String, _ more: String = "") throws -> PretrainingPlan {
        let yaml = """
            stages: [embeddings, lora]
            model: \(directory)/model
            text: \(directory)/text.txt
            heldout: {held: \(directory)/text.txt}
            first_new_row: 110
            block_size: 16
            batch_size: 2
            embeddings: {steps: 3, learning_rate: 0.01}
            lora: {steps: 4, learning_rate: 0.005, lora_dropout: 0.2}
            threads: 1
            \(more)
            """
        return try Recipe(yaml: Array(yaml.utf8), path: "my.yaml").plan(
            options: [], overrides: [], out: directory + "/" + out, threads: 2)
    }

    /// Runs a plan and gives the stages that it brought to their end.
    @discardableResult
    private func run(
        _ plan: PretrainingPlan, resume: Bool = false, force: Bool = false, stop: Int = .max
    ) throws -> [TrainingStage] {
        let questions = Atomic(0)
        var finished: [TrainingStage] = []
        try plan.run(
            resume: resume, force: force,
            observer: RunObserver(isStopped: { questions.wrappingAdd(1, ordering: .relaxed).newValue >= stop }),
            tokenizer: { _ in byteTokenizer }, finished: { finished.append($0.stage) })
        return finished
    }

    private func result(_ plan: PretrainingPlan) throws -> [[UInt8]] {
        try ["1-embeddings/model/model.safetensors", "2-lora/adapter/adapter_model.safetensors", "2-lora/log.jsonl"]
            .map { try readFile(plan.out + "/" + $0) }
    }

    @Test func theSecondStageStartsFromTheFirstsResult() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            let whole = try plan(in: directory, out: "whole")
            #expect(try run(whole) == [.embeddings, .lora])
            // By hand, one stage after the other.
            var single = whole.stages
            single[0].out = directory + "/one"
            single[1].out = directory + "/two"
            single[1].model = directory + "/one/model"
            for options in single {
                _ = try PretrainingRun(options, tokenizer: byteTokenizer, resume: false, force: false).run()
            }
            let adapter = try readFile(directory + "/two/adapter/adapter_model.safetensors")
            #expect(try result(whole)[1] == adapter)
            #expect(throws: FileError.alreadyExists(path: whole.out)) { try run(whole) }
            #expect(throws: PretrainingError.alreadyFinished(run: whole.out)) { try run(whole, resume: true) }
            #expect(try run(whole, force: true) == [.embeddings, .lora])
        }
    }

    @Test func aMissingModelLeavesNoDirectory() throws {
        try withTemporaryDirectory { directory in
            let plan = try plan(in: directory, out: "none")
            #expect(throws: FileError.self) { try run(plan) }
            #expect(!FileManager.default.fileExists(atPath: plan.out))
        }
    }

    @Test func aPlanThatCannotBeginLeavesNoDirectory() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            try writeFile(directory + "/text.txt", "\n\n".utf8)
            let plan = try plan(in: directory, out: "run")
            #expect(throws: TrainingDataError.noDocuments(paths: [directory + "/text.txt"])) { try run(plan) }
            #expect(!FileManager.default.fileExists(atPath: plan.out))
            try makeInputs(in: directory)
            #expect(try run(plan) == [.embeddings, .lora])
        }
    }

    @Test func theModelOfAnOlderPlanIsNotClearedAwayForANewOne() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            let first = try plan(in: directory, out: "run")
            try run(first)
            var second = first.stages[1]
            second.out = first.out
            let error = #expect(throws: PretrainingError.self) {
                try PretrainingRun(second, tokenizer: byteTokenizer, resume: false, force: true)
            }
            guard case .badOption("--out", first.out, _)? = error else {
                Issue.record("\(error as Any)")
                return
            }
            // As a directory that only stages were copied to.
            try FileManager.default.removeItem(atPath: first.out + "/run.json")
            for name in ["kuoci.json", "recipe.yaml"] {
                try? FileManager.default.removeItem(atPath: first.out + "/" + name)
            }
            #expect(throws: FileError.alreadyExists(path: first.out)) {
                try PretrainingRun(second, tokenizer: byteTokenizer, resume: false, force: false)
            }
            #expect(FileManager.default.fileExists(atPath: first.out + "/1-embeddings/model/config.json"))
            let other = try plan(in: directory, out: "run", "# \(first.out)")
            #expect(throws: TrainingDataError.self) { try run(other, resume: true) }
        }
    }

    @Test func whatChangesForALaterStageAloneIsRefusedOnResume() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            #expect(throws: PretrainingError.self) { try run(plan(in: directory, out: "run"), stop: 5) }
            let changed = try plan(in: directory, out: "run", "lora.clip: 0.5")
            let difference = "options.2-lora.clip was 1.0, is 0.5"
            #expect(throws: PretrainingError.resumeDiffers(run: changed.out, differences: [difference])) {
                try run(changed, resume: true)
            }
        }
    }

    @Test func optionsThatNoStageAsksForAreNamed() throws {
        try withTemporaryDirectory { directory throws in
            func notes(_ keys: String..., stages: String = "") throws -> Int {
                let settings = keys.map { RecipeSetting(key: $0, values: ["1"], origin: .option("--" + $0)) }
                return try plan(in: directory, out: "run", stages).notes(on: settings).count
            }
            #expect(try notes("lora_rank", "clip", "evaluate_every") == 0)
            #expect(try notes("decay_steps", "sample_tokens", "best_by") == 3)
            #expect(try notes("decay_steps", stages: "lora.schedule: wsd") == 0)
            let first = RecipeSetting(key: "lora_rank", stage: .embeddings, values: ["1"], origin: .option("--set"))
            #expect(
                try plan(in: directory, out: "run").notes(on: [first])
                    == ["--lora-rank changes nothing: it is for stage lora"])
        }
    }

    @Test func aLookAheadCountsTheStepsOfEpochs() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            try smallVocabulary(directory + "/model/tokenizer.model")
            let yaml = """
                stages: [embeddings, lora]
                model: \(directory)/model
                text: \(directory)/text.txt
                first_new_row: 110
                block_size: 16
                batch_size: 3
                epochs: 2
                threads: 1
                """
            let plan = try Recipe(yaml: Array(yaml.utf8), path: "my.yaml").plan(
                options: [], overrides: [], out: directory + "/run", threads: 1)
            let estimates = try plan.countedEstimates()
            var summaries: [PretrainingSummary] = []
            try plan.run(resume: false, force: false, observer: RunObserver(), finished: { summaries.append($0) })
            #expect(estimates.map(\.steps) == summaries.map(\.steps))
            let steps = try #require(estimates[0].steps)
            #expect(steps > 2)
            #expect(estimates[0].text.contains("\(steps) steps"))
            #expect(try plan.estimates()[0].text.contains("as many steps as 2 times the text makes"))
            // Without a tokenizer nobody can count.
            try FileManager.default.removeItem(atPath: directory + "/model/tokenizer.model")
            #expect(try plan.countedEstimates()[0].steps == nil)
            try FileManager.default.removeItem(atPath: directory + "/text.txt")
            #expect(throws: FileError.missing(path: directory + "/text.txt")) { try plan.countedEstimates() }
        }
    }

    @Test func aStoppedPlanGoesOnInItsStageAndEndsWithTheSameBytes() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            let whole = try plan(in: directory, out: "whole")
            try run(whole)
            let broken = try plan(in: directory, out: "broken")
            var finished: [TrainingStage] = []
            var stops = 0
            for limit in 3... {
                do {
                    finished += try run(broken, resume: true, stop: limit)
                    break
                } catch PretrainingError.interrupted {
                    stops += 1
                }
            }
            #expect(stops >= 2)
            #expect(finished == [.lora])
            // The path in the adapter's config and the logs of the runs are all that names a directory.
            let isSame = try result(whole) == result(broken)
            #expect(isSame)
        }
    }

    @Test func theRecordedRecipeGivesTheSameResult() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            let whole = try plan(in: directory, out: "whole")
            try run(whole)
            let recipe = try Recipe(named: whole.out + "/recipe.yaml")
            let again = try recipe.plan(options: [], overrides: [], out: directory + "/again", threads: 2)
            try run(again)
            let isSame = try result(whole) == result(again)
            #expect(isSame)
            #expect(try readFile(again.out + "/recipe.yaml") == readFile(whole.out + "/recipe.yaml"))
            // A stage's own recipe is one too.
            let second = try Recipe(named: whole.out + "/2-lora/recipe.yaml")
            let alone = try second.plan(options: [], overrides: [], out: directory + "/alone", threads: 2)
            try run(alone)
            let (first, other) = (try result(whole)[1], try readFile(alone.out + "/adapter/adapter_model.safetensors"))
            #expect(first == other)
        }
    }

    @Test func aChangedPlanIsRefusedOnResume() throws {
        try withTemporaryDirectory { directory in
            try makeInputs(in: directory)
            let first = try plan(in: directory, out: "run")
            #expect(throws: PretrainingError.self) { try run(first, stop: 5) }
            for (changed, key) in [("seed: 7", "seed"), ("clip: 0.5", "clip")] {
                let other = try plan(in: directory, out: "run", changed)
                let error = #expect(throws: PretrainingError.self) { try run(other, resume: true) }
                #expect("\(error as Any)".contains(key))
            }
            var single = first.stages[1]
            single.out = first.out
            single.model = directory + "/model"
            #expect(throws: PretrainingError.self) {
                try PretrainingRun(single, tokenizer: byteTokenizer, resume: true, force: false)
            }
        }
    }
}

/// Writes a vocabulary of the letters of `sampleDocuments`.
private func smallVocabulary(_ path: String) throws {
    var model = SentencePieceModel(proto: .init(), path: path)
    model.proto.trainerSpec.modelType = .bpe
    model.proto.normalizerSpec.name = "identity"
    model.proto.appendSpecialPieces()
    for (index, letter) in "▁abcdefghijklmnopqrstuvwxyz".enumerated() {
        model.proto.append(String(letter), -Float(index + 1))
    }
    try writeFile(path, try model.serialized())
}
