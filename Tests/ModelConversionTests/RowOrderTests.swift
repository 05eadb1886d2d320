import Testing

@testable import ModelConversion

@Suite struct RowOrderTests {
    /// transformers turns number j of a head with number j + width / 2; llama.cpp 2j with 2j + 1.
    @Test func `pairs come together`() {
        let order = RowOrder.pairing(headWidth: 6)
        #expect((0..<12).map(order.source) == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
    }

    @Test(arguments: [2, 4, 16, 128])
    func `unpairing undoes pairing`(_ width: Int) {
        let (pairing, unpairing) = (RowOrder.pairing(headWidth: width), RowOrder.unpairing(headWidth: width))
        for row in 0..<3 * width { #expect(pairing.source(of: unpairing.source(of: row)) == row) }
    }

    @Test func `any cut of the rows gives the same`() {
        let bytes = (0..<48).map { UInt8($0) }
        let order = RowOrder.pairing(headWidth: 8)
        func gather(_ rows: Range<Int>) -> [UInt8] {
            let sources = order.sources(of: rows)
            return bytes[sources.lowerBound * 3..<sources.upperBound * 3].withUnsafeBytes {
                order.withRows(rows, of: $0, rowSize: 3) { Array($0) }
            }
        }
        let whole = gather(0..<16)
        #expect(whole.prefix(6) == [0, 1, 2, 12, 13, 14])
        for cut in 1..<16 { #expect(gather(0..<cut) + gather(cut..<16) == whole) }
    }
}
