import FileIO
import Foundation
import OrderedJSON
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
