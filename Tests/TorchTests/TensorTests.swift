import TestSupport
import Testing
import Torch

@Suite struct TensorTests {
    private final class Owner {
        let bytes: UnsafeMutableRawBufferPointer
        let onRelease: () -> Void

        init(_ values: [Float], onRelease: @escaping () -> Void) {
            bytes = .allocate(byteCount: values.count * 4, alignment: 16)
            bytes.copyBytes(from: values.withUnsafeBytes { Array($0) })
            self.onRelease = onRelease
        }

        deinit {
            bytes.deallocate()
            onRelease()
        }
    }

    @Test func borrowedBytesLiveAsLongAsAnyTensorOverThem() throws {
        var isReleased = false
        var view: Tensor?
        do {
            let owner = Owner([1, 2, 3, 4, 5, 6]) { isReleased = true }
            let tensor = try Tensor(
                borrowing: UnsafeRawBufferPointer(owner.bytes), owner: owner, element: .float32, shape: [3, 2])
            owner.bytes.storeBytes(of: 9, toByteOffset: 8, as: Float.self)
            #expect(try tensor.floats() == [1, 2, 9, 4, 5, 6])
            view = try tensor.narrowed(start: 1, length: 2)
        }
        #expect(!isReleased)
        #expect(try view?.floats() == [9, 4, 5, 6])
        view = nil
        #expect(isReleased)
    }

    @Test func bytesThatAreNotAlignedAreCopied() throws {
        var isReleased = false
        let owner = Owner([0, 1, 2]) { isReleased = true }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(owner.bytes)[1..<5])
        let tensor = try Tensor(borrowing: bytes, owner: owner, element: .float32, shape: [1])
        #expect(try tensor.bytes() == Array(bytes))
        #expect(!isReleased)
    }

    @Test(arguments: [([2, 3], 20), ([Int.max, Int.max], 8), ([-1, -1], 4), ([], 0)])
    func bytesThatDoNotFitTheShapeAreRefused(shape: [Int], count: Int) {
        let bytes = [UInt8](repeating: 0, count: count)
        #expect(throws: TorchError.self) {
            try bytes.withUnsafeBytes { try Tensor(copying: $0, element: .float32, shape: shape) }
        }
    }

    @Test func halfPrecisionRoundTripsThroughBytes() throws {
        let values: [Float] = [0, 1, -2.5, 0.15625, 65280]
        for element in [ElementType.bfloat16, .float16] {
            let bytes = try Tensor(values, shape: [5]).converted(to: element).bytes()
            #expect(bytes.count == 10)
            let back = try bytes.withUnsafeBytes { try Tensor(copying: $0, element: element, shape: [5]) }
            #expect(try back.floats() == values)
        }
    }

    @Test func shapesThatDoNotFitThrowWithLibtorchsReason() throws {
        let x = try Tensor.zeros([2, 3])
        let error = #expect(throws: TorchError.self) { try x.linear(.zeros([4, 5])) }
        #expect(error.map { "\($0)" }?.contains("cannot be multiplied") == true)
    }

    @Test func gradientsAddUpWithTheirScale() throws {
        let weight = try Tensor([1, 2, 3, 4], shape: [2, 2])
        try weight.setRequiresGradient(true)
        let x = try Tensor([5, 7], shape: [1, 2])
        let target = try Tensor(ids: [0], shape: [1])
        let head = try VocabularyMatrix(training: Tensor([1, 0, 0, 1], shape: [2, 2]))
        for scale in [Float(1), 2] {
            try head.crossEntropySum(hidden: x.linear(weight), targets: target, chunk: 4).backward(scale: scale)
        }
        // logits 19 and 43: softmax is (0, 1) in float32 but for exp(-24), so dlogits is (-1, 1), three times.
        #expect(try weight.gradient()?.floats().map { $0.rounded() } == [-15, -21, 15, 21])
        #expect(try withoutGradients { try x.linear(weight) }.requiresGradient == false)
        #expect(try x.linear(weight).requiresGradient)
    }

    @Test func clippingScalesDownOnlyWhatIsLonger() throws {
        let parameter = try VocabularyMatrix(training: .zeros([2, 2]))
        let rows = try #require(parameter.trainedRows)
        let hidden = try Tensor([30, 40], shape: [1, 2])
        try parameter.crossEntropySum(hidden: hidden, targets: Tensor(ids: [1], shape: [1]), chunk: 1).backward()
        // (softmax - one hot) = (0.5, -0.5): each row's gradient is half of the hidden state, 25 long.
        let norm = try clipGradientNorm([rows], limit: 100)
        #expect(abs(norm - 25 * 2.0.squareRoot()) < 1e-4)
        #expect(try rows.gradient()?.floats() == [15, 20, -15, -20])
        _ = try clipGradientNorm([rows], limit: 1)
        #expect(abs(try clipGradientNorm([rows], limit: 0) - 1) < 1e-5)
    }

    /// Two processes that each know parts of the gradients, one of them of odd size.
    @Test func aNormFromPartsHasTheBitsOfTheWhole() throws {
        let sizes = [3 * gradientNormPart + 77, 5, gradientNormPart]
        func leaves() throws -> [Tensor] {
            var generator = SeededGenerator(seed: 2)
            return try sizes.map { size in
                let leaf = try Tensor.zeros([size])
                let values = (0..<size).map { _ in Float(Int64(truncatingIfNeeded: generator.next()) >> 40) / 1e6 }
                try leaf.addGradient(Tensor(values, shape: [size]))
                return leaf
            }
        }
        let cuts = [gradientNormPart, 5, 0]
        let parts = [cuts.map { 0..<$0 }, zip(cuts, sizes).map { $0..<$1 }]
        var known: [[Double]] = []
        for part in parts {
            _ = try clipGradientNorm(leaves(), limit: 0, parts: part) {
                known.append($0)
                return $0
            }
        }
        let whole = try leaves()
        let norm = try clipGradientNorm(whole, limit: 0.7)
        var scaled = try leaves().map { _ in [Float]() }
        for part in parts {
            let own = try leaves()
            #expect(try clipGradientNorm(own, limit: 0.7, parts: part) { _ in zip(known[0], known[1]).map(+) } == norm)
            for (place, leaf) in own.enumerated() {
                scaled[place] += try #require(try leaf.gradient()).floats()[part[place]]
            }
        }
        #expect(try whole.map { try $0.gradient()?.floats() } == scaled)
    }

    @Test func dropoutIsAFunctionOfTheSeed() throws {
        // With a zero weight and A = B = 1, the identity's rows show what was dropped.
        let ones = try Tensor([Float](repeating: 1, count: 5000), shape: [5000, 1])
        let one = try Tensor([1], shape: [1, 1])
        func drop(_ seed: UInt64) throws -> [Float] {
            try ones.adaptedLinear(
                .zeros([1, 1]), down: one, up: one, scaling: 1, dropout: 0.25, seed: seed
            ).floats()
        }
        #expect(try drop(7) == drop(7))
        #expect(try drop(7) != drop(8))
        #expect(try drop(7) != drop(7 + 1 << 32))
        let kept = try drop(7).filter { $0 > 0 }
        #expect(kept.allSatisfy { $0 == Float(1 / 0.75) })
        #expect((3600...3900).contains(kept.count))
    }
}
