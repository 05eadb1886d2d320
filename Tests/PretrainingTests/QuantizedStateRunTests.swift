import Checkpoints
import FileIO
import Foundation
import Safetensors
import TestSupport
import Testing
import Torch

@testable import Pretraining

/// Runs whose optimizer keeps its moments in 8 bits.
@Suite(.serialized) struct QuantizedStateRunTests {
    private func options(_ directory: String, _ stage: TrainingStage, out: String) throws -> PretrainingOptions {
        var options = try tinyRunOptions(directory, stage, out: out, steps: 7)
        // The new rows alone are too few for a state in 8 bits.
        if stage != .full { options.trainRows = .all }
        options.firstNewRow = nil
        options.weightDecay = 0.1
        options.optimizerState = .int8
        return options
    }

    private func safetensors(_ run: String) throws -> [String: [UInt8]] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: run).filter { $0.hasSuffix(".safetensors") }
        return Dictionary(uniqueKeysWithValues: try names.map { ($0, try readFile(run + "/" + $0)) })
    }

    @Test(arguments: TrainingStage.allCases)
    func aRunThatIsStoppedAndResumedOnOtherThreadsEndsWithTheSameBytes(stage: TrainingStage) throws {
        try withTemporaryDirectory { directory in
            _ = try startRun(options(directory, stage, out: "whole"))
            var broken = try options(directory, stage, out: "broken")
            for limit in [5, 9, .max] {
                broken.threads = limit % 3 + 1
                do {
                    _ = try startRun(broken, resume: true, stop: limit)
                } catch PretrainingError.interrupted {}
            }
            let (whole, resumed) = (try safetensors(directory + "/whole"), try safetensors(directory + "/broken"))
            let expected = whole.filter { !$0.key.hasPrefix("checkpoints") || resumed[$0.key] != nil }
            #expect(expected.keys.contains { $0.hasSuffix("optimizer.safetensors") })
            for (name, bytes) in expected { #expect(resumed[name] == bytes, "\(name) differs") }
        }
    }

    @Test func theStateIsAsLargeAsEstimated() throws {
        try withTemporaryDirectory { directory in
            let options = try options(directory, .full, out: "run")
            _ = try startRun(options)
            let state = try SafetensorsFile(options.out + "/checkpoints/step-000006/optimizer.safetensors")
            #expect(state["lm_head.weight.exp_avg"]?.type == .uint8)
            #expect(state["lm_head.weight.exp_avg.absmax"]?.shape == [17])
            #expect(state["model.norm.weight.exp_avg"]?.type == .float32)
            let config = try ModelConfig(contentsOf: options.model + "/config.json")
            let moments = state.tensors.filter { !$0.name.hasSuffix(".step") }.reduce(0) { $0 + $1.byteCount }
            #expect(try RunEstimate(options, model: config).optimizerBytes == moments)
        }
    }

    @Test func aResumedRunKeepsItsKindOfState() throws {
        try withTemporaryDirectory { directory in
            var options = try options(directory, .full, out: "run")
            #expect(throws: PretrainingError.self) { try startRun(options, stop: 9) }
            options.optimizerState = .fp32
            do {
                _ = try startRun(options, resume: true)
                Issue.record("another state was taken")
            } catch let PretrainingError.resumeDiffers(_, differences) {
                #expect(differences.count == 1 && differences[0].contains("optimizer_state"))
            }
        }
    }

    /// Moments in 8 bits are other numbers, but train as well.
    @Test func itTrainsAsTheFullStateDoes() throws {
        try withTemporaryDirectory { directory in
            let after = try [MomentStorage.fp32, .int8].map { storage in
                var options = try options(directory, .full, out: storage.rawValue)
                options.optimizerState = storage
                let summary = try startRun(options)
                #expect(summary.after[0].loss < summary.before[0].loss)
                return summary.after[0].loss
            }
            print("held-out loss after 7 steps: fp32 \(after[0]), int8 \(after[1])")
            #expect(after[0] != after[1] && (after[1] - after[0]).magnitude < 0.02 * after[0])
        }
    }
}
