import CFolding
import SeededRandom
import Testing

/// What PEFT computes: the product's sums in order, each product added in one rounding, then the scaling, then the row.
private func slowFold(_ row: [Float], _ b: [Float], _ a: [Float], scaling: Float) -> [Float] {
    row.indices.map { column in
        var sum: Float = 0
        for (index, factor) in b.enumerated() { sum = sum.addingProduct(factor, a[index * row.count + column]) }
        return row[column] + sum * scaling
    }
}

@Suite struct FoldRowTests {
    @Test(arguments: [1, 7, 256, 257, 1000], [0, 1, 8, 33])
    func `a row is that of the slow sum, bit for bit`(_ columns: Int, _ rank: Int) {
        var generator = SplitMix64(seed: UInt64(columns * 100 + rank))
        func numbers(_ count: Int) -> [Float] {
            (0..<count).map { _ in Float(Int64(bitPattern: generator.next()) >> 40) / 8_388_608 }
        }
        let (row, b, a) = (numbers(columns), numbers(rank), numbers(rank * columns))
        var folded = row
        kuoci_fold_row(&folded, b, a, rank, columns, 0.3)
        #expect(folded.map(\.bitPattern) == slowFold(row, b, a, scaling: 0.3).map(\.bitPattern))
    }
}
