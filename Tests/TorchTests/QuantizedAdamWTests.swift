import Safetensors
import TestSupport
import Testing

@testable import Torch

/// The 8-bit moments against bitsandbytes' numbers in Tests/Fixtures/optimizer.
@Suite(.serialized) struct QuantizedAdamWTests {
    private let goldens: SafetensorsFile

    init() throws {
        goldens = try SafetensorsFile(fixture("optimizer/adamw8bit.safetensors"))
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        let info = try #require(goldens[name])
        return try goldens.withUnsafeBytes(of: info) { Array($0) }
    }

    private func floats(_ name: String) throws -> [Float] {
        try bytes(name).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    /// A matrix, so that it decays.
    private func leaf(_ values: [Float]) throws -> Tensor {
        let tensor = try Tensor(values, shape: [values.count, 1])
        try tensor.setRequiresGradient(true)
        return tensor
    }

    private func step(_ optimizers: [AdamW], _ tensor: Tensor, _ gradient: [Float], rate: Double) throws {
        try tensor.addGradient(Tensor(gradient, shape: tensor.shape))
        for optimizer in optimizers { try optimizer.step(learningRate: rate) }
        try tensor.clearGradient()
    }

    private func running<R>(portable: Bool, _ body: () throws -> R) throws -> R {
        portable ? try withPortableOperations { try body() } : try body()
    }

    /// What the parameter and the state are after the steps of the goldens.
    private func afterTheSteps(parts: [Range<Int>]? = nil) throws -> (values: [UInt8], state: [String: [UInt8]]) {
        let tensor = try leaf(floats("step.start"))
        let options = AdamW.Options(storage: .int8)
        let optimizers = try (parts ?? [0..<tensor.count]).map {
            try AdamW([AdamW.Parameter(name: "step", tensor: tensor, part: $0)], options: options)
        }
        let gradients = try floats("step.gradients")
        for number in 0..<gradients.count / tensor.count {
            let gradient = Array(gradients[number * tensor.count..<(number + 1) * tensor.count])
            try step(optimizers, tensor, gradient, rate: 0.01 / Double(number + 1))
        }
        var state: [String: [UInt8]] = [:]
        for entry in optimizers.flatMap(\.state) where entry.parameter != nil {
            state[entry.name, default: []] += try entry.tensor.bytes()
        }
        return (try tensor.bytes(), state)
    }

    /// A step without memory writes the codes of the gradient, or of its square.
    @Test(arguments: ["signed", "unsigned"], [false, true])
    func theCodesAreThoseOfBitsandbytes(map: String, portable: Bool) throws {
        let gradient = try floats(map + ".gradient")
        let tensor = try leaf([Float](repeating: 0, count: gradient.count))
        let optimizer = try AdamW(
            parameters: [("p", tensor)], options: AdamW.Options(beta1: 0, beta2: 0, storage: .int8))
        try running(portable: portable) { try step([optimizer], tensor, gradient, rate: 0) }
        let moment = map == "signed" ? "p.exp_avg" : "p.exp_avg_sq"
        let state = Dictionary(uniqueKeysWithValues: optimizer.state.map { ($0.name, $0.tensor) })
        #expect(try state[moment]?.bytes() == bytes(map + ".codes"))
        #expect(try state[moment + ".absmax"]?.bytes() == bytes(map + ".absmax"))
    }

    @Test func theStepsAreThoseOfTheReferenceBitForBit() throws {
        let found = try afterTheSteps()
        #expect(try found.values == bytes("step.values"))
        for (name, state) in found.state { #expect(try state == bytes(name), "\(name)") }
        #expect(found.state.count == 4)
    }

    /// libtorch may round a quotient's product with the next sum, so the values themselves differ in their last bit.
    @Test func libtorchsOperationsKeepTheSameState() throws {
        let found = try running(portable: true) { try afterTheSteps() }
        for (name, state) in found.state { #expect(try state == bytes(name), "\(name)") }
        let values = found.values.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        for (value, expected) in zip(values, try floats("step.values")) {
            #expect((value - expected).magnitude <= 4 * max(expected.ulp, Float(0.01).ulp))
        }
    }

    @Test func partsMoveAsTheWholeDoes() throws {
        let count = try floats("step.start").count
        let parts = try afterTheSteps(parts: [0..<1024, 1024..<1024, 1024..<2560, 2560..<count])
        let whole = try afterTheSteps()
        #expect(parts.values == whole.values)
        #expect(parts.state == whole.state)
    }

    @Test func theThreadsDoNotChangeAByte() throws {
        let before = TorchRuntime.threads
        defer { try? TorchRuntime.setThreads(before) }
        let results = try [1, 3].map { threads in
            try TorchRuntime.setThreads(threads)
            return try afterTheSteps()
        }
        #expect(results[0].values == results[1].values)
        #expect(results[0].state == results[1].state)
    }

    @Test func aPartTakesItsShareOfASavedState() throws {
        let tensor = try leaf([Float](repeating: 1, count: 4096))
        let optimizer = try AdamW(
            [AdamW.Parameter(name: "p", tensor: tensor, part: 512..<1024)], options: AdamW.Options(storage: .int8))
        let codes = (0..<4096).map { UInt8($0 / 256) }
        let saved = try codes.withUnsafeBytes { try Tensor(copying: $0, element: .uint8, shape: [4096, 1]) }
        let sizes = try Tensor((0..<16).map { Float($0) }, shape: [16])
        try optimizer.restore { name in
            name == "p.step" ? try Tensor([5], shape: []) : name.hasSuffix("absmax") ? sizes : saved
        }
        #expect(try optimizer.state[0].tensor.bytes() == Array(codes[512..<1024]))
        #expect(try optimizer.state[1].tensor.floats() == [2, 3])
        #expect(optimizer.state.map(\.shape) == [[4096, 1], [16], [4096, 1], [16], []])
        let expected = TorchError.wrongElement(name: "p.exp_avg", expected: .uint8, found: .float32)
        let numbers = try Tensor([Float](repeating: 1, count: 4096), shape: [4096, 1])
        #expect(throws: expected) { try optimizer.restore { _ in numbers } }
    }

    @Test func smallParametersKeepTheirNumbers() throws {
        let (small, large) = (
            try leaf([Float](repeating: 1, count: 4095)), try leaf([Float](repeating: 1, count: 4096))
        )
        let optimizer = try AdamW(
            parameters: [("small", small), ("large", large)], options: AdamW.Options(storage: .int8))
        #expect(
            optimizer.state.map(\.tensor.element) == [
                .float32, .float32, .float32, .uint8, .float32, .uint8, .float32, .float32,
            ])
        #expect(MomentStorage.int8.bytes(count: 4096) == 2 * (4096 + 16 * 4))
        #expect(MomentStorage.int8.bytes(count: 4095) == 2 * 4 * 4095)
    }

    /// A mean beside a square of zero would be divided by epsilon alone.
    @Test(arguments: [false, true])
    func aSmallSquareBesideALargeOneIsNotForgotten(portable: Bool) throws {
        var gradient = [Float](repeating: 0, count: 4096)
        (gradient[0], gradient[1]) = (1, 1e-5)
        let tensor = try leaf([Float](repeating: 0, count: 4096))
        let optimizer = try AdamW(parameters: [("p", tensor)], options: AdamW.Options(storage: .int8))
        try running(portable: portable) {
            try step([optimizer], tensor, gradient, rate: 0)
            try step([optimizer], tensor, [Float](repeating: 0, count: 4096), rate: 1)
        }
        let moved = try tensor.floats()
        #expect(moved[1] < 0 && moved[1] > -1)
        #expect(moved[2...].allSatisfy { $0 == 0 })
    }
}
