import Testing

@testable import Corpora

@Suite struct HoldOutTests {
    /// As Python says: int.from_bytes(sha256(text).digest()[:8], "big") >> 11 < 0.1 * 2**53.
    @Test func theChoiceIsTheHashOfTheBytes() {
        let holdOut = HoldOut(share: 0.1)
        #expect(
            (0..<200).filter { holdOut.takes(Array("document \($0)".utf8)) } == [
                21, 22, 51, 55, 59, 61, 75, 77, 79, 80, 85, 94, 96, 97, 110, 116, 172, 176, 182, 184, 199,
            ])
        let hundredth = HoldOut(share: 0.01)
        let taken = (0..<20000).filter { hundredth.takes(Array("document \($0)".utf8)) }
        #expect(taken.count == 190)
        #expect(taken.allSatisfy { holdOut.takes(Array("document \($0)".utf8)) })
    }
}
