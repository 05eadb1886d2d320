import TestSupport
import Testing

@testable import Tokenizers

struct DoubleArrayTrieTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `finds exactly the keys that are prefixes`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var keys: Set<[UInt8]> = []
        for _ in 0..<Int.random(in: 1...3000, using: &generator) {
            let length = Int.random(in: 1...6, using: &generator)
            keys.insert((0..<length).map { _ in UInt8.random(in: 1...12, using: &generator) * 20 })
        }
        let list = keys.sorted { $0.lexicographicallyPrecedes($1) }.shuffled(using: &generator)
        let trie = DoubleArrayTrie(keys: list)
        for _ in 0..<300 {
            let text = (0..<7).map { _ in UInt8.random(in: 0...13, using: &generator) &* 20 }
            var found: [Int: Int] = [:]
            text.withUnsafeBufferPointer { trie.forEachPrefix(of: $0, from: 0) { found[$1] = $0 } }
            for length in 1...7 {
                #expect(found[length] == list.firstIndex(of: Array(text[..<length])), "seed \(seed)")
            }
        }
    }
}
