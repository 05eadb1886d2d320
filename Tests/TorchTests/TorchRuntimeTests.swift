import Testing
import Torch

@Suite struct TorchRuntimeTests {
    @Test(arguments: [0, -1, 1025, 1 << 31, .max])
    func aNumberOfThreadsThatCannotBeIsRefused(count: Int) {
        #expect(throws: TorchError.badThreads(count: count)) { try TorchRuntime.setThreads(count) }
    }
}
