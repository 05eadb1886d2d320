import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import Safetensors
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Pretraining

// Libtorch's threads are the process's: one test at a time.
@Suite(.serialized) struct PretrainingRunTests {
    private func options(_ directory: String, _ stage: TrainingStage, out: String) throws -> PretrainingOptions {
        var options = try tinyRunOptions(directory, stage, out: out, steps: 7)
        options.warmupSteps = 2
        options.keepsBest = true
        options.samplePrompts = ["abc", ""]
        options.sampleTokens = 5
        return options
    }

    /// Every file of a finished run that the same inputs must give again.
    private func contents(_ run: String) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for part in ["log.jsonl", "run.json", "adapter", "model", "best", "checkpoints"] {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: run + "/" + part, isDirectory: &isDirectory) else { continue }
            let names =
                isDirectory.boolValue ? try FileManager.default.subpathsOfDirectory(atPath: run + "/" + part) : []
            for name in isDirectory.boolValue ? names.map({ part + "/" + $0 }) : [part] {
                result[name] = try? readFile(run + "/" + name)
            }
        }
        return result
    }

    @Test(arguments: TrainingStage.allCases)
    func theThreadsDoNotChangeAByte(stage: TrainingStage) throws {
        try withTemporaryDirectory { directory in
            let results = try [1, 2, 3].map { threads in
                var options = try options(directory, stage, out: "run-\(threads)")
                options.threads = threads
                _ = try startRun(options)
                return try contents(options.out)
            }
            for name in results[0].keys.sorted() where name.hasSuffix(".safetensors") || name == "log.jsonl" {
                #expect(results.allSatisfy { $0[name] == results[0][name] }, "\(name) differs")
            }
        }
    }

    @Test(arguments: TrainingStage.allCases)
    func aRunThatIsStoppedAndResumedAgainAndAgainEndsWithTheSameBytes(stage: TrainingStage) throws {
        try withTemporaryDirectory { directory in
            _ = try startRun(options(directory, stage, out: "whole"))
            let broken = try options(directory, stage, out: "broken")
            var stops = 0
            // Stopped in micro-batches and in evaluations alike, a little later each time.
            for limit in 2... {
                do {
                    _ = try startRun(broken, resume: true, stop: limit)
                    break
                } catch let PretrainingError.interrupted(step, checkpoint) {
                    stops += 1
                    #expect((checkpoint == nil) == (step == 0))
                }
            }
            #expect(stops >= 3)
            let whole = try contents(directory + "/whole")
            #expect(whole.keys.contains { $0.hasSuffix(".safetensors") && !$0.hasPrefix("checkpoints") })
            // What a stop saved may lie among the checkpoints of the broken run; the regular ones are in both.
            let resumed = try contents(directory + "/broken")
            for (name, bytes) in whole where !name.hasPrefix("checkpoints") || resumed[name] != nil {
                #expect(resumed[name] == bytes, "\(name) differs")
            }
        }
    }

    @Test(arguments: TrainingStage.allCases)
    func layersComputedAgainOnTheWayBackChangeNoByte(stage: TrainingStage) throws {
        try withTemporaryDirectory { directory in
            _ = try startRun(options(directory, stage, out: "kept"))
            var options = try options(directory, stage, out: "again")
            options.checkpointsActivations = true
            _ = try startRun(options)
            #expect(try contents(directory + "/kept") == contents(directory + "/again"))
        }
    }

    /// Two corpora, parts of which are held out, and one held out by name; documents see one another.
    private func mixedOptions(_ directory: String, out: String) throws -> PretrainingOptions {
        var options = try options(directory, .lora, out: out)
        try writeFile(directory + "/other.txt", sampleDocuments(25, seed: 9).joined(separator: "\n").utf8)
        let (zh, en) = try (#require(MixWeight("0.7")), #require(MixWeight("0.3")))
        options.mix = [
            WeightedText(name: "zh", weight: zh, paths: options.text),
            WeightedText(name: "en", weight: en, paths: [directory + "/other.txt"]),
        ]
        options.text = []
        options.holdOut = 0.2
        options.attendsAcrossDocuments = true
        options.length = .epochs(1)
        return options
    }

    @Test func aMixedRunThatIsStoppedAgainAndAgainEndsWithTheSameBytes() throws {
        try withTemporaryDirectory { directory in
            let summary = try startRun(mixedOptions(directory, out: "whole"))
            #expect(summary.after.map(\.name) == ["zh", "en", "held"])
            #expect(summary.corpora.map(\.epochs)[0] == 1)
            for account in summary.corpora {
                #expect(
                    account.ids == account.trained + account.heldOut + account.notReached + account.notPredicted)
                let measured = summary.after.first { $0.name == account.name }
                #expect(account.heldOut == measured?.targets)
            }
            #expect(summary.trainedTargets >= summary.corpora.reduce(0) { $0 + $1.trained })
            let broken = try mixedOptions(directory, out: "broken")
            for limit in 2... {
                do {
                    _ = try startRun(broken, resume: true, stop: limit)
                    break
                } catch PretrainingError.interrupted {}
            }
            let (whole, resumed) = (try contents(directory + "/whole"), try contents(directory + "/broken"))
            for (name, bytes) in whole where !name.hasPrefix("checkpoints") || resumed[name] != nil {
                #expect(resumed[name] == bytes, "\(name) differs")
            }
        }
    }

    @Test func aChangedMixIsRefusedByName() throws {
        try withTemporaryDirectory { directory in
            let first = try mixedOptions(directory, out: "run")
            #expect(throws: PretrainingError.self) { try startRun(first, stop: 20) }
            func differences(_ change: (inout PretrainingOptions) throws -> Void) throws -> [String] {
                var options = first
                try change(&options)
                do {
                    _ = try startRun(options, resume: true)
                    return []
                } catch let PretrainingError.resumeDiffers(_, differences) {
                    return differences
                }
            }
            let weight = try #require(MixWeight("0.8"))
            #expect(try differences { $0.mix[0].weight = weight } == [#"options.mix[0] was "zh=0.7", is "zh=0.8""#])
            #expect(try differences { $0.mix.swapAt(0, 1) }.count == 2)
            #expect(try differences { $0.holdOut = 0.3 } == ["options.hold_out was 0.2, is 0.3"])
            #expect(
                try differences { $0.attendsAcrossDocuments = false } == [
                    "options.attend_across_documents was true, is false"
                ])
            #expect(
                try differences { $0.documents = .paragraphs } == [#"options.documents was "lines", is "paragraphs""#])
            try writeFile(directory + "/other.txt", "changed\n".utf8)
            let changed = try differences { _ in }
            #expect(changed.count == 1)
            #expect(changed.first?.hasPrefix("text.en[0] was ") == true)
        }
    }

    @Test func textsThatDoNotFitTogetherAreRefused() throws {
        try withTemporaryDirectory { directory in
            let options = try mixedOptions(directory, out: "run")
            func need(_ change: (inout PretrainingOptions) -> Void) -> String? { refusedOption(options, change) }
            #expect(need { _ in } == nil)
            #expect(need { $0.text = ["a"] } == "--text")
            #expect(need { $0.mix = [] } == "--text")
            #expect(need { $0.mix[1].name = "zh" } == "--mix")
            #expect(need { $0.mix = Array(repeating: $0.mix[0], count: 2000) } == "--mix")
            #expect(need { $0.heldOut[0].name = "en" } == "--heldout")
            #expect(
                need {
                    $0.holdOut = 0; $0.heldOut[0].name = "en"
                } == nil)
            for share in [-0.1, 1, .nan, .infinity] { #expect(need { $0.holdOut = share } == "--hold-out") }
            #expect(need { $0.blockSize = 1 } == "--block-size")
        }
    }

    @Test(arguments: TrainingStage.allCases)
    func aKilledRunGoesOnFromItsLastCheckpoint(stage: TrainingStage) throws {
        try withTemporaryDirectory { directory in
            let whole = try options(directory, stage, out: "whole")
            _ = try startRun(whole)
            // As a kill after step 7 leaves it: no result, a longer log, a half-written checkpoint.
            let killed = directory + "/killed"
            try FileManager.default.copyItem(atPath: whole.out, toPath: killed)
            for name in ["kuoci.json", "adapter", "model", "best"] {
                try? FileManager.default.removeItem(atPath: killed + "/" + name)
            }
            try FileManager.default.createDirectory(
                atPath: killed + "/checkpoints/.step-000008.tmp-1", withIntermediateDirectories: false)
            // The newest checkpoint is damaged: the one before it is taken.
            let newest = killed + "/checkpoints/step-000007/weights.safetensors"
            try writeFile(newest, try readFile(newest).dropLast())
            _ = try startRun(options(directory, stage, out: "killed"), resume: true)
            #expect(try contents(killed) == contents(whole.out))
        }
    }

    @Test func trainingLowersTheLossAndTheLogSaysSo() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            options.length = .epochs(3)
            let summary = try startRun(options)
            let cache = try makeCache(of: options.text[0], in: directory)
            #expect(summary.trainedTargets == 3 * cache.counts.targets)
            #expect(summary.after[0].bitsPerByte < summary.before[0].bitsPerByte - 0.1)
            let lines = try readFile(options.out + "/log.jsonl").split(separator: 0x0A).map {
                try JSONValue(parsing: $0)
            }
            let steps = lines.filter { $0["event"]?.string == "step" }
            #expect(steps.count == summary.steps)
            #expect(steps.last?["total_targets"]?.int == summary.trainedTargets)
            #expect(steps.last?["epoch"]?.double == 3)
            #expect(steps.compactMap { $0["bytes"]?.int }.reduce(0, +) == 3 * cache.counts.textBytes)
            for step in steps {
                let nats = (step["loss"]?.double ?? 0) * Double(step["targets"]?.int ?? 0)
                let bits = nats / log(2) / Double(step["bytes"]?.int ?? 0)
                #expect(step["bits_per_byte"]?.double == bits)
            }
            let evaluated = lines.filter { $0["event"]?.string == "evaluation" }.compactMap { $0["step"]?.int }
            #expect(evaluated == (0...summary.steps).filter { $0 % 3 == 0 || $0 == summary.steps })
        }
    }

    @Test func theBestIsWrittenAndTooManyWorseEndTheRun() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            options.evaluateEvery = 1
            options.length = .steps(40)
            // From here on it can only get worse.
            options.learningRate = 2
            options.patience = 3
            let summary = try startRun(options)
            #expect(summary.steps < 40)
            let lines = try readFile(options.out + "/log.jsonl").split(separator: 0x0A).map {
                try JSONValue(parsing: $0)
            }
            let measured = lines.filter { $0["event"]?.string == "evaluation" }
                .compactMap { $0["bits_per_byte"]?.double }
            let best = try #require(measured.indices.min { measured[$0] < measured[$1] })
            #expect(summary.steps == best + 3)
            #expect(lines.last == ["event": "early_stop", "step": .integer(summary.steps)])
            #expect(lines.last { $0["event"]?.string == "best" }?["step"]?.int == best)
            let again = try ModelMeasurement(
                model: options.out + "/best", adapter: nil, tokenizer: byteTokenizer, texts: options.heldOut,
                blockSize: 16, batchSize: 3, threads: 1
            ).evaluate { _ in }
            #expect(again[0].bitsPerByte == measured[best])
            let manifest = try JSONValue(parsing: readFile(options.out + "/kuoci.json"))
            #expect(manifest["results"]?["best"]?["step"]?.int == best)
            #expect(manifest["results"]?["steps"]?.int == summary.steps)
        }
    }

    @Test func aBestNeedsASetToTellItBy() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            options.bestBy = "other"
            #expect(throws: PretrainingError.self) { try options.validate() }
            options.bestBy = "held"
            try options.validate()
            options.heldOut = []
            options.bestBy = nil
            #expect(throws: PretrainingError.self) { try options.validate() }
        }
    }

    @Test func aResumedRunsEventsStandWhereTheyStood() throws {
        try withTemporaryDirectory { directory in
            _ = try startRun(options(directory, .lora, out: "whole"))
            #expect(throws: PretrainingError.self) { try startRun(options(directory, .lora, out: "broken"), stop: 9) }
            _ = try startRun(options(directory, .lora, out: "broken"), resume: true)
            func file(_ run: String) throws -> (count: Int, size: Int) {
                let place = "\(directory)/\(run)/tensorboard"
                let names = try FileManager.default.contentsOfDirectory(atPath: place)
                return (names.count, try readFile("\(place)/\(names[0])").count)
            }
            #expect(try file("whole") == file("broken"))
            #expect(try file("broken").count == 1)
        }
    }

    @Test func theLossOfAStepDoesNotDependOnItsSplitIntoMicroBatches() throws {
        try withTemporaryDirectory { directory in
            func losses(_ batchSize: Int, _ accumulation: Int) throws -> [Double] {
                var options = try options(directory, .lora, out: "run-\(batchSize)")
                options.loraDropout = 0
                options.batchSize = batchSize
                options.accumulation = accumulation
                _ = try startRun(options)
                return try readFile(options.out + "/log.jsonl").split(separator: 0x0A)
                    .map { try JSONValue(parsing: $0) }.compactMap {
                        $0["event"]?.string == "step" ? $0["loss"]?.double : nil
                    }
            }
            let (whole, split) = (try losses(6, 1), try losses(1, 6))
            #expect(whole.count == 7)
            for (a, b) in zip(whole, split) { #expect(abs(a - b) < 1e-5 * a) }
        }
    }

    @Test func stageOneLeavesTheTransformerAsItWas() throws {
        try withTemporaryDirectory { directory in
            let options = try options(directory, .embeddings, out: "run")
            _ = try startRun(options)
            let before = try Checkpoint(directory: options.model)
            let after = try Checkpoint(directory: options.out + "/model")
            #expect(before.tensors == after.tensors)
            for tensor in before.tensors {
                let isTrained = tensor.name.contains("embed_tokens") || tensor.name.contains("lm_head")
                #expect(try (before.floats(of: tensor.name) == after.floats(of: tensor.name)) == !isTrained)
            }
        }
    }

    @Test func noStepsWriteTheStart() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .lora, out: "run")
            options.length = .steps(0)
            let summary = try startRun(options)
            #expect(summary.before == summary.after)
            let adapter = try Adapter(directory: options.out + "/adapter")
            #expect(adapter.updates.count == 8)
            let base = try Checkpoint(directory: options.model)
            for name in ["model.embed_tokens.weight", "lm_head.weight"] {
                #expect(try adapter.file.floats(of: Adapter.replacementName(of: name)) == base.floats(of: name))
            }
            for update in adapter.updates.values {
                #expect(try adapter.file.floats(of: update.b.name).allSatisfy { $0 == 0 })
                #expect(try adapter.file.floats(of: update.a.name).contains { $0 != 0 })
            }
            let measured = try ModelMeasurement(
                model: options.model, adapter: options.out + "/adapter", tokenizer: byteTokenizer,
                texts: options.heldOut, blockSize: 16, batchSize: 3, threads: 1
            ).evaluate { _ in }
            #expect(measured == summary.after)
        }
    }

    @Test func aLossThatIsNoNumberStopsTheRun() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            try makeTinyModel(in: options.model, scale: .infinity)
            options.heldOut = []
            options.keepsBest = false
            options.samplePrompts = []
            let found = try #require(throws: PretrainingError.self) { try startRun(options) }
            guard case .notFinite(let what, let step, _, let documents, let last, let replay) = found else {
                Issue.record("\(found)")
                return
            }
            #expect(what == "loss")
            #expect(step == 1)
            #expect(last == nil)
            #expect(!documents.isEmpty)
            #expect(replay.hasSuffix(" --resume --record-batches \(options.out)/replay"))
            let log = String(decoding: try readFile(options.out + "/log.jsonl"), as: UTF8.self)
            let lines = log.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines[0].hasPrefix(#"{"event":"corpora","corpora":[{"name":"text","weight":1,"documents":40,"#))
            #expect(
                lines[1].hasPrefix(#"{"event":"not_finite","step":1,"what":"loss","value":null,"documents":[{"path":"#))
            #expect(!FileManager.default.fileExists(atPath: options.out + "/model"))
            #expect(!FileManager.default.fileExists(atPath: options.out + "/kuoci.json"))
        }
    }

    @Test func eachMeasuringLogsWhatTheModelWrites() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            options.heldOut = []
            options.keepsBest = false
            _ = try startRun(options)
            func samples() throws -> [JSONValue] {
                try readFile(options.out + "/log.jsonl").split(separator: 0x0A).map { try JSONValue(parsing: $0) }
                    .filter { $0["event"]?.string == "sample" }
            }
            #expect(try samples().compactMap { $0["step"]?.int } == [0, 0, 3, 3, 6, 6, 7, 7])
            #expect(try samples().compactMap { $0["prompt"]?.string } == (0..<4).flatMap { _ in ["abc", ""] })
            for sample in try samples() {
                let tokens = try #require(sample["tokens"]?.int)
                #expect(sample["end"]?.string == (tokens == 5 ? "length" : "end"))
            }
            // A model that gives no numbers writes nothing, and that is no reason to stop.
            try makeTinyModel(in: options.model, scale: .infinity)
            options.out = directory + "/broken"
            options.length = .steps(0)
            _ = try startRun(options)
            #expect(try samples().map { $0["text"] } == [.null, .null])
        }
    }

    @Test(arguments: ["text", "heldout", "tokenizer", "model", "seed", "sample_prompts"])
    func aResumedRunMustBringTheSame(change: String) throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .lora, out: "run")
            #expect(throws: PretrainingError.self) { try startRun(options, stop: 9) }
            var tokenizer = byteTokenizer
            switch change {
            case "text": try writeFile(options.text[0], "other\n".utf8)
            case "heldout": try writeFile(directory + "/heldout.txt", "other\n".utf8)
            case "model": try makeTinyModel(in: options.model, scale: 0.2)
            case "tokenizer":
                tokenizer = TrainingTokenizer(
                    path: "bytes", digest: "other", pieceCount: 259, beginID: 1, endID: 2, encode: { _ in [] })
            case "sample_prompts": options.samplePrompts = ["abd", ""]
            default: options.seed = 43
            }
            do {
                _ = try PretrainingRun(options, tokenizer: tokenizer, resume: true, force: false)
                Issue.record("a changed \(change) was taken")
            } catch let PretrainingError.resumeDiffers(_, differences) {
                #expect(differences.count == 1)
                #expect(differences.first?.contains(change) == true)
            }
        }
    }

    @Test func aFinishedRunIsNotRunAgain() throws {
        try withTemporaryDirectory { directory in
            let options = try options(directory, .lora, out: "run")
            _ = try startRun(options)
            #expect(throws: PretrainingError.alreadyFinished(run: options.out)) { try startRun(options, resume: true) }
            #expect(throws: FileError.alreadyExists(path: options.out)) { try startRun(options) }
        }
    }

    @Test func aRunThatCannotBeginGivesItsDirectoryUp() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            options.cache = nil
            let text = try readFile(options.text[0])
            try writeFile(options.text[0], "\n \n".utf8)
            for resume in [false, true] {
                #expect(throws: TrainingDataError.noDocuments(paths: options.text)) {
                    try startRun(options, resume: resume)
                }
                #expect(!FileManager.default.fileExists(atPath: options.out))
            }
            try writeFile(options.text[0], text)
            #expect(try startRun(options).steps == 7)
        }
    }

    @Test func aRunWithoutAWholeCheckpointDoesNotBeginAgainByItself() throws {
        try withTemporaryDirectory { directory in
            let options = try options(directory, .lora, out: "run")
            _ = try startRun(options)
            // As a kill before the result leaves it.
            for name in ["kuoci.json", "adapter", "best"] {
                try FileManager.default.removeItem(atPath: options.out + "/" + name)
            }
            let checkpoints = CheckpointStore(options.out + "/checkpoints")
            #expect(!checkpoints.steps().isEmpty)
            let states = checkpoints.steps().map { checkpoints.path(step: $0) + "/optimizer.safetensors" }
            for state in states { try writeFile(state, readFile(state).dropLast()) }
            let log = try readFile(options.out + "/log.jsonl")
            let error = #expect(throws: TrainingDataError.self) { try startRun(options, resume: true) }
            guard case .noWholeCheckpoint(_, let damaged)? = error else {
                Issue.record("\(error as Any)")
                return
            }
            #expect(damaged.count == states.count)
            #expect(states.allSatisfy { FileManager.default.fileExists(atPath: $0) })
            #expect(try readFile(options.out + "/log.jsonl") == log)
        }
    }

    @Test func aRunThatTheMachineCannotHoldIsRefused() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            let config = try ModelConfig(contentsOf: options.model + "/config.json")
            try options.checkMemory(config, places: 1000, processes: 1)
            options.batchSize = 1 << 20
            // As many blocks as there are make a batch.
            try options.checkMemory(config, places: 6, processes: 1)
            #expect(throws: PretrainingError.self) {
                try options.checkMemory(config, places: 1 << 22, processes: 1, memory: 1 << 30)
            }
            options.device = .cuda(0)
            try options.checkMemory(config, places: 1 << 22, processes: 1, memory: 1 << 30)
        }
    }

    @Test func aSamplePromptWithoutRoomForATextIsRefusedBeforeAnythingIsWritten() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            // The begin piece comes before it, and the model has 64 positions.
            options.samplePrompts = ["abc", String(repeating: "b", count: 63)]
            let error = #expect(throws: PretrainingError.self) { try startRun(options) }
            guard case .badOption("--sample-prompt", _, let need)? = error else {
                Issue.record("\(error as Any)")
                return
            }
            #expect(need.contains("64 tokens"))
            #expect(!FileManager.default.fileExists(atPath: options.out))
        }
    }

    @Test func whatIsHardlyMeantIsSaid() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            options.heldOut = [NamedText(name: "same", paths: options.text)]
            options.blockSize = 65
            options.warmupSteps = 7
            let notes = Mutex<[String]>([])
            _ = try PretrainingRun(
                options, tokenizer: byteTokenizer, resume: false, force: false,
                observer: RunObserver(note: { line in notes.withLock { $0.append(line) } }))
            for part in ["held out same: ", "max_position_embeddings", "warm-up takes 7 steps"] {
                #expect(notes.withLock { $0.contains { $0.contains(part) } }, "\(part)")
            }
        }
    }

    @Test func whatCannotBeComputedWithIsRefusedByName() throws {
        try withTemporaryDirectory { directory in
            let options = try options(directory, .lora, out: "run")
            func name(_ change: (inout PretrainingOptions) -> Void) -> String? { refusedOption(options, change) }
            for rate in [-1.0, 1001, .nan, .infinity] {
                #expect(name { $0.learningRate = rate } == "--learning-rate")
                #expect(name { $0.embeddingLearningRate = rate } == "--embedding-learning-rate")
            }
            #expect(
                name {
                    $0.learningRate = 5e-324; $0.embeddingLearningRate = 1
                } == "--embedding-learning-rate")
            for beta in [-0.1, 1, .nan] {
                #expect(name { $0.adamBeta1 = beta } == "--adam-beta1")
                #expect(name { $0.adamBeta2 = beta } == "--adam-beta2")
            }
            for epsilon in [0.0, -1, .infinity, .nan] { #expect(name { $0.adamEpsilon = epsilon } == "--adam-epsilon") }
            for threads in [0, 1025, 99_999_999_999] { #expect(name { $0.threads = threads } == "--threads") }
            #expect(name { $0.warmupSteps = .max } == "--warmup-steps")
            #expect(name { $0.decaySteps = .max } == "--decay-steps")
            #expect(name { $0.text = [""] } == "--text")
            #expect(
                name {
                    $0.adamBeta1 = 0; $0.adamBeta2 = 0; $0.adamEpsilon = 1
                } == nil)
        }
    }

    @Test func aWholeValueOfJSONIsNotTakenForText() throws {
        for name in ["a.json", "a.json.gz", "a.json.zst"] {
            #expect(throws: TrainingDataError.wholeJSON(path: name)) { try TextSource([name]) }
        }
    }

    @Test func aTokenizerLargerThanTheModelIsRefusedBeforeAnythingIsWritten() throws {
        try withTemporaryDirectory { directory in
            let options = try options(directory, .lora, out: "run")
            let large = TrainingTokenizer(
                path: "large", digest: "large", pieceCount: 260, beginID: 1, endID: 2, encode: { _ in [] })
            #expect(
                throws: TrainingDataError.vocabularyTooLarge(
                    tokenizer: "large", pieces: 260, model: options.model, rows: 259)
            ) { try PretrainingRun(options, tokenizer: large, resume: false, force: false) }
            #expect(!FileManager.default.fileExists(atPath: options.out))
        }
    }
}

/// The option that validation blames after a change.
private func refusedOption(_ options: PretrainingOptions, _ change: (inout PretrainingOptions) -> Void) -> String? {
    var options = options
    change(&options)
    do {
        try options.validate()
    } catch .badOption(let name, _, _) {
        return name
    } catch {}
    return nil
}
