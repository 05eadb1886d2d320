import Testing
import Torch

/// libtorch's operations against Kuoci's own kernels, in float32.
@Suite struct PortableOperationsTests {
    /// Values of a linear congruential generator, about -1...1.
    private func values(_ shape: [Int], seed: UInt64) throws -> Tensor {
        var state = seed
        let values = (0..<shape.reduce(1, *)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int64(state >> 33)) / Float(1 << 30) - 1
        }
        return try Tensor(values, shape: shape)
    }

    private func leaf(_ shape: [Int], seed: UInt64) throws -> Tensor {
        let tensor = try values(shape, seed: seed)
        try tensor.setRequiresGradient(true)
        return tensor
    }

    /// The result of `body` and the gradients of its leaves, for a gradient of the result that is not constant.
    private func results(
        isPortable: Bool, _ leaves: [Tensor], _ body: () throws -> Tensor
    ) throws -> [[Float]] {
        for leaf in leaves { try leaf.clearGradient() }
        let result = try isPortable ? withPortableOperations { try body() } : body()
        try result.backward(from: values(result.shape, seed: 99))
        return try [result.floats()] + leaves.map { try #require(try $0.gradient()).floats() }
    }

    private func expectEqual(_ name: String, _ leaves: [Tensor], _ body: () throws -> Tensor) throws {
        let own = try results(isPortable: false, leaves, body)
        let portable = try results(isPortable: true, leaves, body)
        let difference = zip(own, portable).map { own, portable in
            let size = own.map(\.magnitude).max() ?? 0
            return zip(own, portable).reduce(Float(0)) { $0.isNaN ? $0 : max($0, ($1.0 - $1.1).magnitude / size) }
        }
        print("\(name): largest differences, relative to each tensor's largest number, \(difference)")
        #expect(difference.allSatisfy { $0 < 1e-5 })
    }

    @Test(arguments: [true, false])
    func linear(hasBias: Bool) throws {
        let (x, weight) = (try leaf([70, 33], seed: 1), try leaf([19, 33], seed: 2))
        let bias = hasBias ? try leaf([19], seed: 3) : nil
        try expectEqual("linear", [x, weight] + (bias.map { [$0] } ?? [])) { try x.linear(weight, bias: bias) }
    }

    @Test(arguments: [0, 0.05, 0.5], [1, 0x9E37_79B9_7F4A_7C15, UInt64.max])
    func adaptedLinearDropsTheSameElements(dropout: Double, seed: UInt64) throws {
        let (x, weight, bias) = (
            try leaf([70, 33], seed: 1), try values([19, 33], seed: 2), try values([19], seed: 3)
        )
        let (down, up) = (try leaf([4, 33], seed: 4), try leaf([19, 4], seed: 5))
        try expectEqual("LoRA, dropout \(dropout)", [x, down, up]) {
            try x.adaptedLinear(
                weight, bias: bias, down: down, up: up, scaling: 1.7, dropout: dropout, seed: seed)
        }
    }

    @Test func rmsNorm() throws {
        let (x, weight) = (try leaf([7, 40], seed: 1), try leaf([40], seed: 2))
        try expectEqual("RMSNorm", [x, weight]) { try x.rmsNorm(weight, epsilon: 1e-5) }
    }

    @Test func rotaryPositions() throws {
        let x = try leaf([6, 24], seed: 1)
        let table = try RotaryTable(
            positions: Tensor(ids: [0, 1, 2, 0, 500, 7], shape: [6]), width: 8, base: 10000)
        try expectEqual("rotation", [x]) { try x.rotated(table) }
    }

    /// Lengths of the documents in each of the blocks; head widths around those of a vector and a panel.
    @Test(
        arguments: [
            [[5]], [[64]], [[150]], [[1, 16, 17, 30], [64, 0, 0], [3, 61], [65, 64, 63], [20, 172]],
        ],
        [(width: 64, heads: 2, groups: 2), (8, 4, 2), (1, 1, 1), (80, 6, 2), (130, 1, 1)])
    func attention(documents: [[Int]], shape: (width: Int, heads: Int, groups: Int)) throws {
        let block = documents.map { $0.reduce(0, +) }.max() ?? 0
        let ids = documents.flatMap { lengths -> [Int64] in
            let numbered = lengths.enumerated().flatMap { [Int64](repeating: Int64($0), count: $1) }
            return numbered + [Int64](repeating: -1, count: block - numbered.count)
        }
        let numbers = try Tensor(ids: ids, shape: [documents.count, block])
        let rows = [documents.count, block]
        let queries = try leaf(rows + [shape.heads * shape.width], seed: 1)
        let (keys, values) = (
            try leaf(rows + [shape.groups * shape.width], seed: 2),
            try leaf(rows + [shape.groups * shape.width], seed: 3)
        )
        try expectEqual("attention in \(documents), \(shape)", [queries, keys, values]) {
            try queries.attention(
                keys: keys, values: values, documents: numbers, mask: numbers.documentMask(), headWidth: shape.width)
        }
    }

    @Test func attentionSharesItsBitsWithAnyNumberOfThreads() throws {
        let (queries, keys, values) = (
            try leaf([2, 200, 64], seed: 1), try leaf([2, 200, 32], seed: 2), try leaf([2, 200, 32], seed: 3)
        )
        let numbers = try Tensor(ids: (0..<400).map { Int64($0 % 200 / 70) }, shape: [2, 200])
        func all(threads: Int) throws -> [[Float]] {
            let before = TorchRuntime.threads
            try TorchRuntime.setThreads(threads)
            defer { try? TorchRuntime.setThreads(before) }
            return try results(isPortable: false, [queries, keys, values]) {
                try queries.attention(keys: keys, values: values, documents: numbers, mask: nil, headWidth: 16)
            }
        }
        let alone = try all(threads: 1)
        for threads in [2, 3] {
            let together = try all(threads: threads)
            #expect(together == alone)
        }
    }

    @Test func documentsThatDoNotFitAreRefused() throws {
        let (x, numbers) = (try values([2, 3, 8], seed: 1), try Tensor(ids: [0, 0, 0, 0], shape: [2, 2]))
        #expect(throws: TorchError.self) {
            try x.attention(keys: x, values: x, documents: numbers, mask: nil, headWidth: 8)
        }
    }

    @Test func aNaNInOneDocumentStaysThere() throws {
        var numbers = [Float](repeating: 0.5, count: 6 * 4)
        numbers[4] = .nan
        let x = try Tensor(numbers, shape: [1, 6, 4])
        let documents = try Tensor(ids: [0, 0, 0, 1, 1, 1], shape: [1, 6])
        let result = try x.attention(keys: x, values: x, documents: documents, mask: nil, headWidth: 4).floats()
        #expect(result[4..<12].allSatisfy { $0.isNaN })
        #expect(result[12...].allSatisfy { $0 == 0.5 })
    }

    @Test(arguments: [0, 5])
    func embedding(firstRow: Int) throws {
        let matrix = try VocabularyMatrix(training: values([9, 4], seed: 1), from: firstRow)
        let rows = try #require(matrix.trainedRows)
        try expectEqual("embedding from \(firstRow)", [rows]) {
            try matrix.rows(Tensor(ids: [8, 0, 5, 8, 4, 1], shape: [6]))
        }
        let frozen = try VocabularyMatrix(values([9, 4], seed: 1))
        let ids = try Tensor(ids: [8, 0, 5], shape: [3])
        #expect(try withPortableOperations { try frozen.rows(ids).floats() } == frozen.rows(ids).floats())
    }

    @Test(arguments: [(0, 256), (0, 3), (60, 4), (101, 4)])
    func crossEntropy(firstRow: Int, chunk: Int) throws {
        let hidden = try leaf([11, 8], seed: 1)
        let weight = try values([101, 8], seed: 2)
        let matrix =
            try firstRow < 101 ? VocabularyMatrix(training: weight, from: firstRow) : VocabularyMatrix(weight)
        let targets = try Tensor(ids: [0, 100, -1, 59, 60, 61, -100, 5, 99, 64, 2], shape: [11])
        try expectEqual(
            "cross-entropy from \(firstRow), chunk \(chunk)", [hidden] + (matrix.trainedRows.map { [$0] } ?? [])
        ) {
            try matrix.crossEntropySum(hidden: hidden, targets: targets, chunk: chunk)
        }
    }

    @Test func aNaNIsNotHidden() throws {
        let matrix = try VocabularyMatrix(Tensor([1, .nan, 0], shape: [3, 1]))
        let loss = try withPortableOperations {
            try matrix.crossEntropySum(
                hidden: Tensor([1], shape: [1, 1]), targets: Tensor(ids: [0], shape: [1]), chunk: 1)
        }
        #expect(try loss.scalar().isNaN)
    }

    @Test func otherTypesAreComputedToo() throws {
        let x = try values([3, 4], seed: 1).converted(to: .bfloat16)
        let product = try x.linear(values([5, 4], seed: 2))
        #expect(product.element == .bfloat16)
        #expect(product.shape == [3, 5])
        let norm = try values([3, 4], seed: 1).rmsNorm(values([4], seed: 2), epsilon: 1e-5, as: .float16)
        #expect(norm.element == .float16)
    }
}
