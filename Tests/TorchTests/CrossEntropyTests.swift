import Foundation
import Testing
import Torch

/// The obvious cross-entropy in double precision: loss, gradient of the hidden states, gradient of the matrix.
private func reference(
    hidden: [Float], weight: [Float], targets: [Int64], width: Int
) -> (loss: Double, hidden: [Double], weight: [Double]) {
    let vocabulary = weight.count / width
    var loss = 0.0
    var hiddenGradient = [Double](repeating: 0, count: hidden.count)
    var weightGradient = [Double](repeating: 0, count: weight.count)
    for (token, target) in targets.enumerated() where target >= 0 {
        let logits = (0..<vocabulary).map { row in
            (0..<width).reduce(0.0) { $0 + Double(hidden[token * width + $1]) * Double(weight[row * width + $1]) }
        }
        let shift = logits.max() ?? 0
        let sum = logits.reduce(0) { $0 + exp($1 - shift) }
        loss += log(sum) + shift - logits[Int(target)]
        for row in 0..<vocabulary {
            let delta = exp(logits[row] - shift) / sum - (row == Int(target) ? 1 : 0)
            for column in 0..<width {
                hiddenGradient[token * width + column] += delta * Double(weight[row * width + column])
                weightGradient[row * width + column] += delta * Double(hidden[token * width + column])
            }
        }
    }
    return (loss, hiddenGradient, weightGradient)
}

@Suite struct CrossEntropyTests {
    private static let width = 8
    private static let vocabulary = 101

    /// Values of a linear congruential generator, about -2...2.
    private func values(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int64(state >> 33)) / Float(1 << 29) - 2
        }
    }

    @Test(arguments: [(1, 0), (4, 0), (64, 0), (4, 37), (64, 100)])
    func equalsTheObviousLossAndGradients(chunk: Int, firstRow: Int) throws {
        let targets: [Int64] = [0, 100, -1, 36, 37, 38, -1, 5, 99, 64, 2]
        let hidden = values(targets.count * Self.width, seed: 1)
        let weight = values(Self.vocabulary * Self.width, seed: 2)
        let expected = reference(hidden: hidden, weight: weight, targets: targets, width: Self.width)

        let hiddenTensor = try Tensor(hidden, shape: [targets.count, Self.width])
        try hiddenTensor.setRequiresGradient(true)
        let matrix = try VocabularyMatrix(
            training: Tensor(weight, shape: [Self.vocabulary, Self.width]), from: firstRow)
        let loss = try matrix.crossEntropySum(
            hidden: hiddenTensor, targets: Tensor(ids: targets, shape: [targets.count]), chunk: chunk)
        try loss.backward()

        #expect(abs(Double(try loss.scalar()) - expected.loss) < 1e-5 * expected.loss)
        let hiddenGradient = try #require(try hiddenTensor.gradient()).floats()
        let rowGradient = try #require(try matrix.trainedRows?.gradient()).floats()
        let expectedRows = Array(expected.weight[(firstRow * Self.width)...])
        let difference = max(
            largestDifference(hiddenGradient, expected.hidden), largestDifference(rowGradient, expectedRows))
        print("cross-entropy, chunk \(chunk), rows from \(firstRow): largest difference \(difference)")
        #expect(difference < 2e-6)
    }

    @Test func hugeAndTinyLogitsStayFinite() throws {
        let matrix = try VocabularyMatrix(training: Tensor([1e4, -1e4, 0, 1, 2], shape: [5, 1]))
        let hidden = try Tensor([1, -1, 3e-38], shape: [3, 1])
        let loss = try matrix.crossEntropySum(
            hidden: hidden, targets: Tensor(ids: [1, 1, 2], shape: [3]), chunk: 2)
        #expect(abs(try loss.scalar() - (20000 + 0 + Float(5).logarithm)) < 0.01)
        try loss.backward()
        #expect(try matrix.trainedRows?.gradient()?.floats().allSatisfy(\.isFinite) == true)
    }

    @Test func aNaNIsNotHidden() throws {
        let matrix = try VocabularyMatrix(Tensor([1, .nan, 0], shape: [3, 1]))
        let loss = try matrix.crossEntropySum(
            hidden: Tensor([1], shape: [1, 1]), targets: Tensor(ids: [0], shape: [1]), chunk: 1)
        #expect(try loss.scalar().isNaN)
    }

    @Test func noTargetAtAllIsALossOfZero() throws {
        let matrix = try VocabularyMatrix(training: .zeros([3, 2]))
        let hidden = try Tensor.zeros([2, 2])
        try hidden.setRequiresGradient(true)
        let loss = try matrix.crossEntropySum(
            hidden: hidden, targets: Tensor(ids: [-1, -1], shape: [2]), chunk: 8)
        try loss.backward()
        #expect(try loss.scalar() == 0)
        #expect(try hidden.gradient()?.floats() == [0, 0, 0, 0])
    }

    @Test func aTargetOutsideOfTheVocabularyIsRefused() throws {
        let matrix = try VocabularyMatrix(.zeros([3, 2]))
        #expect(throws: TorchError.self) {
            try matrix.crossEntropySum(
                hidden: .zeros([1, 2]), targets: Tensor(ids: [3], shape: [1]), chunk: 8)
        }
    }

    @Test func onlyTrainedRowsOfAnEmbeddingGetAGradient() throws {
        let matrix = try VocabularyMatrix(training: Tensor([0, 1, 2, 3, 4, 5, 6, 7], shape: [4, 2]), from: 2)
        let rows = try matrix.rows(Tensor(ids: [3, 0, 3, 2], shape: [4]))
        #expect(try rows.floats() == [6, 7, 0, 1, 6, 7, 4, 5])
        // One logit and one more of zero: each token's gradient is (p - 1) times the head's first row.
        let head = try VocabularyMatrix(Tensor([2, 4, 0, 0], shape: [2, 2]))
        try head.crossEntropySum(hidden: rows, targets: Tensor(ids: [0, 0, 0, 1], shape: [4]), chunk: 4)
            .backward()
        #expect(try matrix.trainedRows?.gradient()?.shape == [2, 2])
    }
}

private func largestDifference(_ found: [Float], _ expected: [Double]) -> Double {
    precondition(found.count == expected.count, "arrays of different lengths")
    return zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
}

extension Float {
    fileprivate var logarithm: Float { Float(log(Double(self))) }
}
