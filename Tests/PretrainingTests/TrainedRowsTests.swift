import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import Pretraining

@Suite(.serialized) struct TrainedRowsTests {
    /// Letters have the ids 100 to 125: rows on both sides are used.
    private let first = 110

    /// A run of three steps on the tiny model, which is in bfloat16 if asked.
    private func train(
        in directory: String, _ stage: TrainingStage, bfloat16: Bool = false, record: Int? = nil,
        _ change: (inout PretrainingOptions) -> Void = { _ in }
    ) throws -> PretrainingOptions {
        let model = directory + "/model"
        if !FileManager.default.fileExists(atPath: model) {
            try makeTinyModel(in: model, type: bfloat16 ? .bfloat16 : .float32)
            try writeFile(directory + "/text.txt", sampleDocuments(20).joined(separator: "\n").utf8)
        }
        if let record {
            let value: JSONValue = ["results": ["old_entries": .integer(record)]]
            try writeFile(model + "/kuoci.json", value.utf8())
        }
        var options = PretrainingOptions(
            model: model, text: [directory + "/text.txt"], stage: stage, out: directory + "/" + stage.rawValue,
            length: .steps(3), threads: 1)
        options.blockSize = 16
        options.learningRate = 0.01
        change(&options)
        _ = try PretrainingRun(options, tokenizer: byteTokenizer, resume: false, force: true).run()
        return options
    }

    private func rows(_ directory: String, _ name: String) throws -> (old: [UInt8], new: [UInt8]) {
        try Checkpoint(directory: directory).withUnsafeBytes(of: name) { bytes in
            let size = bytes.count / 259 * first
            return (Array(bytes[..<size]), Array(bytes[size...]))
        }
    }

    @Test(arguments: [false, true], TrainedSides.allCases)
    func newRowsTrainAndOldOnesKeepTheirBits(bfloat16: Bool, sides: TrainedSides) throws {
        try withTemporaryDirectory { directory in
            let options = try train(in: directory, .embeddings, bfloat16: bfloat16, record: first) {
                $0.trainSides = sides
            }
            for name in ["model.embed_tokens.weight", "lm_head.weight"] {
                let (before, after) = (try rows(options.model, name), try rows(options.out + "/model", name))
                let (isKept, isTrained) = (before.old == after.old, before.new != after.new)
                #expect(isKept)
                #expect(isTrained == (sides == .both || name.contains("embed")))
            }
            let log = try JSONValue(parsing: readFile(options.out + "/kuoci.json"))
            #expect(log["results"]?["trainable_parameters"]?.int == (sides == .both ? 2 : 1) * 149 * 16)
            // The result says in its turn which rows are new.
            let config = try ModelConfig(contentsOf: options.out + "/model/config.json")
            #expect(try config.entriesBeforeResizing() == first)
        }
    }

    @Test func anAdapterWithNewRowsHoldsWholeMatrices() throws {
        try withTemporaryDirectory { directory in
            let options = try train(in: directory, .lora, record: first) { $0.trainRows = .new }
            let adapter = try Adapter(directory: options.out + "/adapter")
            #expect(adapter.config.modulesToSave == ["embed_tokens", "lm_head"])
            let base = try Checkpoint(directory: options.model)
            for name in ["model.embed_tokens.weight", "lm_head.weight"] {
                let (before, after) = (
                    try base.floats(of: name), try adapter.file.floats(of: Adapter.replacementName(of: name))
                )
                let (isKept, isTrained) = (
                    before.prefix(first * 16) == after.prefix(first * 16),
                    before.suffix(149 * 16) != after.suffix(149 * 16)
                )
                #expect(isKept && isTrained)
            }
        }
    }

    @Test func loraAloneSavesNoMatrices() throws {
        try withTemporaryDirectory { directory in
            let options = try train(in: directory, .lora) { $0.trainRows = TrainedRows.none }
            let adapter = try Adapter(directory: options.out + "/adapter")
            #expect(adapter.config.modulesToSave.isEmpty)
            #expect(adapter.replacements.isEmpty)
            #expect(adapter.updates.count == 8)
        }
    }

    @Test func rankStabilizationScalesByTheRootOfTheRank() throws {
        try withTemporaryDirectory { directory in
            let options = try train(in: directory, .lora) {
                $0.usesRankStabilization = true
                $0.loraRank = 4
            }
            let adapter = try Adapter(directory: options.out + "/adapter")
            #expect(adapter.config.usesRankStabilization)
            #expect(adapter.config.scaling == 16)
            // The adapter alone measures as the run left it: the scaling is the same on both ways.
            let text = [NamedText(name: "text", paths: options.text)]
            let measured = try ModelMeasurement(
                model: options.model, adapter: options.out + "/adapter", tokenizer: byteTokenizer, texts: text,
                blockSize: 16, batchSize: 4, threads: 1
            ).evaluate { _ in }
            let trained = try train(in: directory, .lora) {
                $0.usesRankStabilization = true
                $0.loraRank = 4
                $0.heldOut = text
            }
            let log = try readFile(trained.out + "/log.jsonl").split(separator: 0x0A).map { try JSONValue(parsing: $0) }
            #expect(log.last?["loss"]?.double == measured[0].loss)
        }
    }

    @Test func embeddingsCanHaveARateOfTheirOwn() throws {
        try withTemporaryDirectory { directory in
            let options = try train(in: directory, .lora) { $0.embeddingLearningRate = 0 }
            let adapter = try Adapter(directory: options.out + "/adapter")
            let base = try Checkpoint(directory: options.model)
            let name = "model.embed_tokens.weight"
            #expect(try adapter.file.floats(of: Adapter.replacementName(of: name)) == base.floats(of: name))
            for update in adapter.updates.values {
                #expect(try adapter.file.floats(of: update.b.name).contains { $0 != 0 })
            }
        }
    }

    @Test func newRowsThatNothingNamesAreAsked() throws {
        try withTemporaryDirectory { directory in
            let error = #expect(throws: PretrainingError.self) { _ = try train(in: directory, .embeddings) }
            #expect("\(error as Any)".contains("--first-new-row"))
        }
    }

    @Test(arguments: [0, 259, 1000, -1])
    func aRecordThatDoesNotFitIsNamed(entries: Int) throws {
        try withTemporaryDirectory { directory in
            let error = #expect(throws: CheckpointError.self) {
                _ = try train(in: directory, .embeddings, record: entries)
            }
            #expect("\(error as Any)".contains("model/kuoci.json"))
            #expect(throws: PretrainingError.self) {
                _ = try train(in: directory, .embeddings) { $0.firstNewRow = entries }
            }
        }
    }
}
