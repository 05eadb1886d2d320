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
@Suite(.serialized) struct PrecisionRunTests {
    private func options(
        _ directory: String, _ stage: TrainingStage, _ precision: Precision, out: String
    ) throws -> PretrainingOptions {
        var options = try tinyRunOptions(directory, stage, out: out, steps: 6)
        options.samplePrompts = ["abc"]
        options.sampleTokens = 4
        options.precision = precision
        options.takesAnyPrecision = true
        return options
    }

    private func log(_ options: PretrainingOptions) throws -> [JSONValue] {
        try readFile(options.out + "/log.jsonl").split(separator: 0x0A).map { try JSONValue(parsing: $0) }
    }

    /// The log, the result, and the state after the last step.
    private func contents(_ run: String) throws -> [String: [UInt8]] {
        var result = ["log.jsonl": try readFile(run + "/log.jsonl")]
        for part in ["adapter", "model", "checkpoints/step-000006"] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: run + "/" + part)) ?? [] {
                result[part + "/" + name] = try? readFile(run + "/" + part + "/" + name)
            }
        }
        return result
    }

    @Test(arguments: TrainingStage.allCases, [Precision.bf16, .fp16])
    func aRunThatIsStoppedAndResumedEndsWithTheSameBytes(stage: TrainingStage, precision: Precision) throws {
        try withTemporaryDirectory { directory in
            _ = try startRun(options(directory, stage, precision, out: "whole"))
            let broken = try options(directory, stage, precision, out: "broken")
            var stops = 0
            // A little later each time.
            for limit in [4, 9, 12, .max] {
                do {
                    _ = try startRun(broken, resume: true, stop: limit)
                    break
                } catch PretrainingError.interrupted {
                    stops += 1
                }
            }
            #expect(stops >= 2)
            let (whole, resumed) = (try contents(directory + "/whole"), try contents(directory + "/broken"))
            #expect(whole.keys.contains { $0.hasSuffix("model.safetensors") })
            #expect(whole.keys.contains { $0.hasSuffix("step-000006/optimizer.safetensors") })
            for (name, bytes) in whole { #expect(resumed[name] == bytes, "\(name) differs") }
        }
    }

    @Test(arguments: TrainingStage.allCases)
    func trainingInBF16LowersTheLossAlmostAsInFloat32(stage: TrainingStage) throws {
        try withTemporaryDirectory { directory in
            func run(_ precision: Precision) throws -> PretrainingSummary {
                var options = try options(directory, stage, precision, out: precision.rawValue)
                options.length = .steps(30)
                return try startRun(options)
            }
            let (exact, half) = (try run(.fp32), try run(.bf16))
            let difference = abs(half.after[0].loss - exact.after[0].loss)
            print(
                "\(stage): loss \(half.before[0].loss) -> \(half.after[0].loss) in bf16,"
                    + " \(exact.before[0].loss) -> \(exact.after[0].loss) in float32")
            #expect(half.after[0].loss < half.before[0].loss)
            #expect(abs(half.before[0].loss - exact.before[0].loss) < 1e-2 * exact.before[0].loss)
            #expect(difference < 2e-2 * exact.after[0].loss)
            #expect(half.after != exact.after)
        }
    }

    @Test func whatIsFrozenKeepsItsBitsInBF16() throws {
        try withTemporaryDirectory { directory in
            let options = try options(directory, .embeddings, .bf16, out: "run")
            _ = try startRun(options)
            let before = try Checkpoint(directory: options.model)
            let after = try Checkpoint(directory: options.out + "/model")
            for tensor in before.tensors {
                let (old, new) = (try before.floats(of: tensor.name), try after.floats(of: tensor.name))
                let isTrained = tensor.name.contains("embed_tokens") || tensor.name.contains("lm_head")
                let frozen = isTrained ? 110 * 16 : old.count
                #expect(old[..<frozen] == new[..<frozen], "\(tensor.name)")
                #expect((old != new) == isTrained)
            }
            // An adapter holds both matrices whole.
            var lora = try self.options(directory, .lora, .bf16, out: "lora")
            lora.trainRows = .new
            lora.firstNewRow = 110
            _ = try startRun(lora)
            let adapter = try Adapter(directory: lora.out + "/adapter")
            for name in ["model.embed_tokens.weight", "lm_head.weight"] {
                let saved = try adapter.file.floats(of: Adapter.replacementName(of: name))
                let stored = try before.floats(of: name)
                #expect(saved[..<(110 * 16)] == stored[..<(110 * 16)])
                #expect(saved != stored)
            }
        }
    }

    @Test func aStepWhoseGradientsAreTooLargeForFP16IsSkippedAndTheScaleHalved() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, .fp16, out: "run")
            options.heldOut = []
            options.samplePrompts = []
            options.length = .steps(2)
            options.saveEvery = 1
            _ = try startRun(options)
            // As a long run may stand: the scale has grown too far.
            let path = options.out + "/checkpoints/step-000001/"
            let manifest = path + "manifest.json"
            let grown = String(decoding: try readFile(manifest), as: UTF8.self)
                .replacing(/"value": 65536\.0,/, with: "\"value\": \(0x1p40),")
            #expect(grown.contains("\(0x1p40)"))
            try writeFile(manifest, grown.utf8)
            for name in ["checkpoints/step-000002", "kuoci.json", "model"] {
                try FileManager.default.removeItem(atPath: options.out + "/" + name)
            }
            let before = try readFile(path + "weights.safetensors")
            _ = try startRun(options, resume: true)
            let step = try #require(try log(options).last { $0["event"]?.string == "step" })
            #expect(step["gradient_norm"] == .null)
            #expect(step["loss_scale"]?.double == 0x1p40)
            #expect(step["loss"]?.double?.isFinite == true)
            #expect(try readFile(options.out + "/checkpoints/step-000002/weights.safetensors") == before)
            let state = try JSONValue(parsing: readFile(options.out + "/checkpoints/step-000002/manifest.json"))
            #expect(state["position"]?["loss_scale"] == ["value": .double(0x1p39), "good_steps": 0])
        }
    }

    @Test func aChangedPrecisionOrDeviceIsRefusedByName() throws {
        try withTemporaryDirectory { directory in
            let first = try options(directory, .lora, .bf16, out: "run")
            #expect(throws: PretrainingError.self) { try startRun(first, stop: 9) }
            func differences(_ change: (inout PretrainingOptions) -> Void) throws -> [String] {
                var options = first
                change(&options)
                do {
                    _ = try startRun(options, resume: true)
                    return []
                } catch let PretrainingError.resumeDiffers(_, differences) {
                    return differences
                }
            }
            #expect(try differences { $0.precision = .fp32 } == [#"options.precision was "bf16", is "fp32""#])
            #expect(try differences { $0.device = .cuda(1) } == [#"options.device was "cpu", is "cuda""#])
        }
    }

    @Test func whatCannotBeComputedIsABadOption() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .lora, .fp16, out: "run")
            options.takesAnyPrecision = false
            let half = PretrainingError.badOption(
                name: "--precision", value: "fp16", need: "is for --device cuda; on the CPU give bf16 or fp32")
            #expect(throws: half) { try options.validate() }
            options.device = .cuda(127)
            // A dry run needs no device.
            try options.validate()
            let error = try #require(throws: PretrainingError.self) { try startRun(options) }
            guard case .badOption("--device", "cuda:127", _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!FileManager.default.fileExists(atPath: options.out))
        }
    }

    @Test func recipesSayDeviceAndPrecision() throws {
        let yaml = "stages: [lora]\nmodel: m\ntext: [t]\nsteps: 1\ndevice: cuda:1\nprecision: bf16\n"
        let plan = try Recipe(yaml: Array(yaml.utf8), path: "r").plan(options: [], overrides: [], out: "o", threads: 1)
        #expect(plan.stages[0].device == .cuda(1))
        #expect(plan.stages[0].precision == .bf16)
        #expect(try plan.recipe.yaml.contains("device: cuda:1\n"))
        #expect(try plan.recipe.yaml.contains("precision: bf16\n"))
        #expect(throws: RecipeError.self) {
            try Recipe(yaml: Array((yaml + "seed: 1\n").replacing("bf16", with: "fp8").utf8), path: "r")
                .plan(options: [], overrides: [], out: "o", threads: 1)
        }
    }

    @Test func lessPrecisionTakesLessMemory() throws {
        try withTemporaryDirectory { directory in
            func memory(_ precision: Precision, _ device: DeviceChoice = .cpu) throws -> RunEstimate {
                var options = try self.options(directory, .lora, precision, out: "run")
                options.device = device
                options.blockSize = 512
                return try RunEstimate(options, model: ModelConfig(contentsOf: options.model + "/config.json"))
            }
            let (exact, half) = (try memory(.fp32), try memory(.bf16))
            let frozen = exact.parameters - exact.trainableParameters
            #expect(exact.weightBytes - half.weightBytes == 2 * frozen)
            #expect(half.activationBytes < exact.activationBytes)
            #expect(half.optimizerBytes == exact.optimizerBytes)
            #expect(try memory(.bf16, .cuda(nil)).weightBytes == half.weightBytes)
            #expect(try memory(.bf16, .cuda(nil)).text.contains("bf16 on cuda"))
        }
    }

    @Test(
        .enabled(if: ComputeDevice.cudaCount > 0, "needs a CUDA device and a libtorch that was built for CUDA"),
        arguments: TrainingStage.allCases, Precision.allCases)
    func aRunOnAGPUIsResumedToTheSameBytes(stage: TrainingStage, precision: Precision) throws {
        try withTemporaryDirectory { directory in
            func options(_ out: String) throws -> PretrainingOptions {
                var options = try self.options(directory, stage, precision, out: out)
                options.device = .cuda(0)
                options.takesAnyPrecision = false
                return options
            }
            let summary = try startRun(options("whole"))
            #expect(summary.after[0].loss < summary.before[0].loss)
            #expect(throws: PretrainingError.self) { try startRun(options("broken"), stop: 9) }
            _ = try startRun(options("broken"), resume: true)
            let (whole, resumed) = (try contents(directory + "/whole"), try contents(directory + "/broken"))
            for (name, bytes) in whole { #expect(resumed[name] == bytes, "\(name) differs") }
        }
    }
}
