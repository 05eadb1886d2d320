import TestSupport
import Testing

@testable import PieceModel

struct ByteStringTableTests {
    @Test(arguments: 0..<10 as Range<UInt64>)
    func `numbers distinct strings in order`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var table = ByteStringTable()
        var expected: [[UInt8]: Int] = [:]
        for _ in 0..<2000 {
            let key = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                UInt8.random(in: 0...3, using: &generator)
            }
            let (index, inserted) = table.insert(key)
            #expect(inserted == (expected[key] == nil))
            #expect(index == expected[key, default: expected.count])
            expected[key] = index
        }
        #expect(table.count == expected.count)
        for (key, index) in expected {
            #expect(table.index(of: key) == index)
            #expect(Array(table[index]) == key)
        }
        #expect(table.index(of: [9, 9, 9]) == nil)
    }
}
