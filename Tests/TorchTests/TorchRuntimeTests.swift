import Testing
import Torch

@Suite struct TorchRuntimeTests {
    @Test(arguments: [0, -1, 1025, 1 << 31, .max])
    func aNumberOfThreadsThatCannotBeIsRefused(count: Int) {
        #expect(throws: TorchError.badThreads(count: count)) { try TorchRuntime.setThreads(count) }
    }

    // Other tests use the pool at the same time: what is expected holds at any moment, or at one of many.

    @Test func noMoreIsKeptThanWasUsedAtOnce() throws {
        try TorchRuntime.prepare(threads: TorchRuntime.threads)
        var held: [Tensor] = []
        for step in 0..<200 {
            // Sizes of 0.3 to 9 MB that come again, taken and freed in no order.
            held.append(try Tensor.zeros([(step * 7919 % 31 + 1) * 75_000]))
            if held.count > 6 { held.remove(at: step % 5) }
            let bytes = TorchRuntime.pooledBytes
            #expect(bytes.used > 0)
            #expect(bytes.used + bytes.kept <= bytes.mostUsed)
        }
    }

    @Test func aFreedBlockServesTheNextTensorOfItsSize() throws {
        try TorchRuntime.prepare(threads: TorchRuntime.threads)
        // Whole pages of any size.
        let count = 340 << 14, bytes = count * 4
        let isTaken = try (0..<100).contains { _ in
            _ = try Tensor.zeros([count])
            let before = TorchRuntime.pooledBytes
            let again = try Tensor.zeros([count])
            let after = TorchRuntime.pooledBytes
            return withExtendedLifetime(again) {
                after.used == before.used + bytes && after.kept == before.kept - bytes
            }
        }
        #expect(isTaken)
    }

    @Test func whatIsReleasedIsNotKept() throws {
        try TorchRuntime.prepare(threads: TorchRuntime.threads)
        let isReleased = try (0..<100).contains { _ in
            _ = try Tensor.zeros([1_234_567])
            TorchRuntime.releaseKeptBlocks()
            return TorchRuntime.pooledBytes.kept == 0
        }
        #expect(isReleased)
    }

    /// What a tensor held before does not show through.
    @Test func aTensorOfZerosInAFreedBlockIsZero() throws {
        try TorchRuntime.prepare(threads: TorchRuntime.threads)
        let count = 100_000
        for _ in 0..<20 {
            _ = try Tensor([Float](repeating: 7, count: count), shape: [count])
            #expect(try Tensor.zeros([count]).bytes().allSatisfy { $0 == 0 })
        }
    }

    @Test func memoryThatIsNotThereIsNamedWithTheMend() throws {
        try TorchRuntime.prepare(threads: TorchRuntime.threads)
        // 2^48 bytes: more than a process has addresses.
        let error = #expect(throws: TorchError.self) { try Tensor.zeros([1 << 46]) }
        #expect(
            error.map { "\($0)" }
                == "zeros failed in libtorch: cannot allocate 281474976710656 bytes; use smaller batches or blocks")
    }
}
