import Testing
import Torch

@Suite struct ComputationTests {
    @Test(arguments: [("cpu", DeviceChoice.cpu), ("cuda", .cuda(nil)), ("cuda:0", .cuda(0)), ("cuda:12", .cuda(12))])
    func aDeviceIsItsText(text: String, device: DeviceChoice) {
        #expect(DeviceChoice(text) == device)
        #expect("\(device)" == text)
    }

    @Test(arguments: ["", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:1:2", "cuda:99999999999999999999", "mps"])
    func anythingElseIsNone(text: String) {
        #expect(DeviceChoice(text) == nil)
    }

    @Test func halfPrecisionOnTheCPUIsRefused() throws {
        #expect(throws: ComputationError.slow) { try Computation(.cpu, .fp16) }
        #expect(try Computation(.cpu, .fp32) == .standard)
        #expect(try Computation(.cpu, .bf16).precision.element == .bfloat16)
    }

    @Test(.enabled(if: ComputeDevice.cudaCount == 0, "there is a CUDA device"))
    func cudaIsRefusedInOneSentenceWhereThereIsNone() throws {
        let error = try #require(throws: ComputationError.self) { try Computation(.cuda(nil), .bf16) }
        let isTold =
            error == .notBuilt(device: .cuda(nil))
            ? "\(error)".hasSuffix("make build LIBTORCH=path") : error == .missing(device: .cuda(0), count: 0)
        #expect(isTold, "\(error)")
        #expect("\(error)".hasPrefix("--device cuda"))
        #expect(!"\(error)".contains("\n"))
    }

    @Test func aDeviceThatTheMachineLacksIsRefused() {
        let missing = ComputationError.missing(device: .cuda(3), count: 2)
        #expect("\(missing)".contains("2 CUDA devices"))
        #expect(throws: ComputationError.self) { try Computation(.cuda(127), .bf16) }
    }

    @Test func theLossScaleHalvesToOneAndDoublesAfter2000GoodSteps() {
        var scale = LossScale()
        #expect(scale.value == 65536)
        for _ in 0..<1999 { scale.recordGoodStep() }
        #expect(scale.value == 65536)
        scale.recordGoodStep()
        #expect(scale == LossScale(value: 131072, goodSteps: 0))
        scale.recordGoodStep()
        scale.halve()
        #expect(scale == LossScale(value: 65536, goodSteps: 0))
        for _ in 0..<16 {
            #expect(scale.canHalve)
            scale.halve()
        }
        #expect(scale.value == 1)
        #expect(!scale.canHalve)
        for _ in 0..<200 * 2000 { scale.recordGoodStep() }
        #expect(scale.value == 0x1p100)
    }

    @Test func gradientsAreDividedByTheScaleTheyHave() throws {
        func rows(_ scale: Float) throws -> VocabularyMatrix {
            let matrix = try VocabularyMatrix(training: Tensor([1, 0, 0, 1], shape: [2, 2]))
            try matrix.crossEntropySum(
                hidden: Tensor([1, 2], shape: [1, 2]), targets: Tensor(ids: [0], shape: [1]), chunk: 1
            ).backward(scale: scale)
            return matrix
        }
        func clipped(_ matrix: VocabularyMatrix, _ limit: Double, _ scale: Double) throws -> (Double, [Float]) {
            let rows = try #require(matrix.trainedRows)
            return (
                try clipGradientNorm([rows], limit: limit, scale: scale), try #require(try rows.gradient()).floats()
            )
        }
        for limit in [100, 0.25, 0] {
            let (norm, values) = try clipped(rows(1), limit, 1)
            let (scaledNorm, scaledValues) = try clipped(rows(1024), limit, 1024)
            #expect(abs(norm - scaledNorm) < 1e-6 * norm)
            for (a, b) in zip(values, scaledValues) { #expect(abs(a - b) < 1e-6) }
        }
        // What is no number is told and left alone.
        #expect(try clipped(rows(.infinity), 1, 65536).0.isFinite == false)
    }
}

/// What only a GPU can show.
@Suite(.enabled(if: ComputeDevice.cudaCount > 0, "needs a CUDA device and a libtorch that was built for CUDA"))
struct CUDATensorTests {
    @Test func bytesComeBackAsTheyWent() throws {
        let values: [Float] = [1, -2, 0.5, 3]
        let there = try Tensor(values, shape: [2, 2]).converted(on: .cuda(0))
        #expect(there.device == .cuda(0))
        #expect(try there.floats() == values)
        let half = try there.converted(to: .bfloat16)
        #expect(half.device == .cuda(0))
        #expect(try half.floats() == values)
        #expect(try Tensor.zeros([3], on: .cuda(0)).floats() == [0, 0, 0])
    }

    @Test func theOptimizersStateIsBesideItsParameter() throws {
        let parameter = try Tensor([1, 2], shape: [2]).converted(on: .cuda(0))
        let optimizer = try AdamW(parameters: [("p", parameter)])
        #expect(optimizer.state.allSatisfy { $0.tensor.device == .cuda(0) })
    }
}
