import Testing

@testable import Tokenizers

struct WordGraphTests {
    /// Keys over few letters share heads and tails, so that states are shared; many make several blocks.
    @Test(arguments: [(letters: 2, count: 60), (letters: 4, count: 3000), (letters: 255, count: 20000)])
    func findsWhatALinearSearchFinds(letters: Int, count: Int) {
        var generator = Generator(state: UInt64(letters))
        var values: [[UInt8]: UInt32] = [:]
        while values.count < count {
            let key = (0...Int(generator.next() % 9)).map { _ in UInt8(1 + generator.next() % UInt64(letters)) }
            // Few values, so that tails with their values are equal.
            values[key] = UInt32(generator.next() % 3)
        }
        let trie = DoubleArrayTrie(sorting: values.map { (key: $0.key, value: $0.value) })
        for (key, value) in values {
            let text = key + [UInt8(1 + generator.next() % UInt64(letters))]
            let expected = text.indices.compactMap { end in
                values[Array(text[...end])].map { Prefix(value: Int($0), length: end + 1) }
            }
            #expect(prefixes(of: text, in: trie) == expected)
            #expect(expected.contains(Prefix(value: Int(value), length: key.count)))
        }
    }

    @Test func anEmptyTrieFindsNothing() {
        #expect(prefixes(of: [1, 2, 3], in: DoubleArrayTrie(SortedKeys())).isEmpty)
    }

    private struct Prefix: Equatable {
        let value: Int
        let length: Int
    }

    private func prefixes(of text: [UInt8], in trie: DoubleArrayTrie) -> [Prefix] {
        var found: [Prefix] = []
        text.withUnsafeBufferPointer { text in
            trie.forEachPrefix(of: text, from: 0) { found.append(Prefix(value: $0, length: $1)) }
        }
        return found
    }

    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
