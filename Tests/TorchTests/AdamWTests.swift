import Foundation
import TestSupport
import Testing
import Torch

@Suite struct AdamWTests {
    /// A matrix and a vector whose gradients come from a cross-entropy: the vector is the width-one head's norm.
    private func parameters() throws -> [(name: String, tensor: Tensor)] {
        let matrix = try Tensor([0.5, -1, 2, 0.25], shape: [2, 2])
        let vector = try Tensor([1, -0.5], shape: [2])
        try matrix.setRequiresGradient(true)
        try vector.setRequiresGradient(true)
        return [("matrix", matrix), ("vector", vector)]
    }

    private func addGradients(_ parameters: [(name: String, tensor: Tensor)], step: Int) throws {
        let x = try Tensor([Float(step) + 1, -0.5, 0.25, 3 - Float(step)], shape: [2, 2])
        let hidden = try x.linear(parameters[0].tensor, bias: parameters[1].tensor)
        let head = try VocabularyMatrix(Tensor([1, 0, 0, 1, -1, 1], shape: [3, 2]))
        try head.crossEntropySum(hidden: hidden, targets: Tensor(ids: [0, 2], shape: [2]), chunk: 8).backward()
    }

    @Test func equalsTheFormulaAndDecaysOnlyMatrices() throws {
        let parameters = try parameters()
        let options = AdamW.Options(beta1: 0.8, beta2: 0.9, epsilon: 1e-6, weightDecay: 0.3)
        let optimizer = try AdamW(parameters: parameters, options: options)
        var expected = try parameters.map { try $0.tensor.floats().map { Double($0) } }
        var means = expected.map { $0.map { _ in 0.0 } }
        var squares = means
        var largest = 0.0
        for step in 0..<5 {
            try addGradients(parameters, step: step)
            let gradients = try parameters.map { try #require(try $0.tensor.gradient()).floats().map { Double($0) } }
            try optimizer.step(learningRate: 0.1)
            try optimizer.clearGradients()
            for (p, decay) in [0.3, 0].enumerated() {
                for i in expected[p].indices {
                    means[p][i] = 0.8 * means[p][i] + 0.2 * gradients[p][i]
                    squares[p][i] = 0.9 * squares[p][i] + 0.1 * gradients[p][i] * gradients[p][i]
                    let mean = means[p][i] / (1 - pow(0.8, Double(step + 1)))
                    let square = squares[p][i] / (1 - pow(0.9, Double(step + 1)))
                    expected[p][i] *= 1 - 0.1 * decay
                    expected[p][i] -= 0.1 * mean / (square.squareRoot() + 1e-6)
                }
                for (found, wanted) in zip(try parameters[p].tensor.floats(), expected[p]) {
                    largest = max(largest, abs(Double(found) - wanted))
                }
            }
        }
        print("AdamW, 5 steps: largest difference \(largest)")
        #expect(largest < 2e-6)
    }

    @Test func aParameterMovesByItsShareOfTheRate() throws {
        func run(shares: [Double], rate: Double) throws -> [[Float]] {
            let parameters = try parameters()
            let optimizer = try AdamW(
                zip(parameters, shares).map { AdamW.Parameter(name: $0.name, tensor: $0.tensor, rateShare: $1) })
            for step in 0..<3 {
                try addGradients(parameters, step: step)
                try optimizer.step(learningRate: rate)
                try optimizer.clearGradients()
                // The same gradients in every run: they are not to follow the other parameter's path.
                for (parameter, start) in zip(parameters, try self.parameters()) where step < 2 {
                    try parameter.tensor.assign(start.tensor)
                }
            }
            return try parameters.map { try $0.tensor.floats() }
        }
        let (mixed, small, large) = (
            try run(shares: [1, 0.25], rate: 0.1), try run(shares: [1, 1], rate: 0.025),
            try run(shares: [1, 1], rate: 0.1)
        )
        #expect(mixed == [large[0], small[1]])
    }

    @Test func aRestoredOptimizerContinuesBitForBit() throws {
        func run(interruptedAfter: Int?) throws -> [[UInt8]] {
            var current = try parameters()
            var optimizer = try AdamW(parameters: current)
            for step in 0..<6 {
                if step == interruptedAfter {
                    let values = try current.map { try $0.tensor.bytes() }
                    var saved: [String: Tensor] = [:]
                    for entry in optimizer.state { saved[entry.name] = try entry.tensor.copied() }
                    current = try parameters()
                    for (index, bytes) in values.enumerated() {
                        let shape = current[index].tensor.shape
                        try current[index].tensor.assign(
                            bytes.withUnsafeBytes { try Tensor(copying: $0, element: .float32, shape: shape) })
                    }
                    optimizer = try AdamW(parameters: current)
                    try optimizer.restore { saved[$0] }
                }
                try addGradients(current, step: step)
                try optimizer.step(learningRate: 0.01 * Double(step))
                try optimizer.clearGradients()
            }
            return try current.map { try $0.tensor.bytes() } + optimizer.state.map { try $0.tensor.bytes() }
        }
        #expect(try run(interruptedAfter: 3) == run(interruptedAfter: nil))
        #expect(try run(interruptedAfter: nil)[0] != parameters()[0].tensor.bytes())
    }

    /// Sizes that fill no vector register.
    @Test func partsMoveAsTheWholeDoes() throws {
        let count = 6 * 64 + 37
        func numbers(_ seed: UInt64) -> [Float] {
            var generator = SeededGenerator(seed: seed)
            return (0..<count).map { _ in Float(Int64(truncatingIfNeeded: generator.next()) >> 40) / 65536 }
        }
        func run(_ parts: [Range<Int>]) throws -> (values: [UInt8], state: [[UInt8]]) {
            let tensor = try Tensor(numbers(0), shape: [count, 1])
            try tensor.setRequiresGradient(true)
            let optimizers = try parts.map { try AdamW([AdamW.Parameter(name: "p", tensor: tensor, part: $0)]) }
            for step in 0..<4 {
                try tensor.addGradient(Tensor(numbers(UInt64(step + 1)), shape: [count, 1]))
                for optimizer in optimizers { try optimizer.step(learningRate: 0.1) }
                try tensor.clearGradient()
            }
            let states = try optimizers.map { try $0.state.map { try $0.tensor.bytes() } }
            return (try tensor.bytes(), (0..<2).map { entry in states.flatMap { $0[entry] } } + [states[0][2]])
        }
        let whole = try run([0..<count])
        let parts = try run([0..<128, 128..<128, 128..<320, 320..<count])
        #expect(parts.values == whole.values)
        #expect(parts.state == whole.state)
    }

    @Test func aPartTakesItsShareOfASavedState() throws {
        let tensor = try Tensor([Float](repeating: 1, count: 256), shape: [2, 128])
        let optimizer = try AdamW([AdamW.Parameter(name: "p", tensor: tensor, part: 64..<192)])
        let saved = try Tensor((0..<256).map { Float($0) }, shape: [2, 128])
        try optimizer.restore { $0 == "p.step" ? try Tensor([5], shape: []) : saved }
        #expect(try optimizer.state.map { try $0.tensor.floats() }[1] == (64..<192).map { Float($0) })
        #expect(optimizer.state.map(\.shape) == [[2, 128], [2, 128], []])
        #expect(throws: TorchError.self) { try optimizer.restore { _ in try Tensor([5], shape: []) } }
    }

    @Test func aStateThatDoesNotFitIsRefusedAndChangesNothing() throws {
        let optimizer = try AdamW(parameters: parameters())
        #expect(throws: TorchError.missingState(name: "matrix.exp_avg")) { try optimizer.restore { _ in nil } }
        let ones = try Tensor([1, 1, 1, 1], shape: [2, 2])
        #expect(throws: TorchError.wrongShape(name: "matrix.step", expected: [], found: [2, 2])) {
            try optimizer.restore { _ in ones }
        }
        #expect(try optimizer.state[0].tensor.floats() == [0, 0, 0, 0])
    }
}
