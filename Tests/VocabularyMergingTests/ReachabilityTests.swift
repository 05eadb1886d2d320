import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import VocabularyMerging

struct ReachabilityTests {
    private func texts(_ ids: [PieceID], _ model: SentencePieceModel) -> [String] {
        ids.map { model.pieces[Int($0.rawValue)].piece }
    }

    @Test func `a row without a chain lacks the bridge that would make one`() throws {
        let model = bpeModel([("越", 0), ("来", 0), ("越来越", 0), ("来来越", -1), ("来越", -2)])
        let reachability = try Reachability(model)
        #expect(texts(reachability.unreachedRows, model) == [])
        let without = bpeModel([("越", 0), ("来", 0), ("越来越", 0), ("来来越来", -1)])
        let lacking = try Reachability(without)
        #expect(texts(lacking.unreachedRows, without) == ["越来越", "来来越来"])
        #expect(lacking.bridges(for: 3) == ["越来"])
        #expect(lacking.bridges(for: 4).count == 2)
        #expect(!lacking.hasChain(3) && lacking.hasChain(1))
    }

    @Test func `a row with a chain that other merges break is not reached and lacks nothing`() throws {
        // "bc" comes first and leaves "a", "bc", "d".
        let model = bpeModel([("a", 0), ("b", 0), ("c", 0), ("d", 0), ("bc", -1), ("ab", -2), ("cd", -3), ("abcd", -4)])
        let reachability = try Reachability(model)
        #expect(texts(reachability.unreachedRows, model) == ["abcd"])
        #expect(reachability.hasChain(8))
        #expect(texts(reachability.pieces(of: 8), model) == ["a", "bc", "d"])
    }

    @Test func `spaces in rows are taken as they stand`() throws {
        var model = bpeModel([("▁", 0), ("a", 0), ("▁a", -1), ("▁▁", -2)])
        model.proto.normalizerSpec.addDummyPrefix = true
        model.proto.normalizerSpec.removeExtraWhitespaces = true
        #expect(try Reachability(model).unreachedRows == [])
    }

    @Test func `a row longer than the search lacks itself unless it is reached`() throws {
        let long = String(repeating: "中", count: 300)
        #expect(try Reachability(bpeModel([("中", 0), (long, -1)])).bridges(for: 2) == [long])
        var doubled = [("中", Float(0))]
        while doubled.last!.0.count < 300 { doubled.append((doubled.last!.0 + doubled.last!.0, -Float(doubled.count))) }
        let reached = try Reachability(bpeModel(doubled))
        #expect(reached.unreachedRows == [] && reached.hasChain(PieceID(doubled.count)))
    }

    @Test func `of the published merge 345 new rows and 194 of the base are not reached, 338 without a chain`() throws {
        guard let llama = sharedData("tokenizers/llama-32k.model"),
            let chinese = sharedData("tokenizers/chinese-20k.model")
        else { return }
        let base = try SentencePieceModel(contentsOf: llama)
        let merged = try VocabularyMerge(base: base, addition: SentencePieceModel(contentsOf: chinese)).model
        let before = try Set(Reachability(base).unreachedRows)
        let reachability = try Reachability(merged)
        let unreached = reachability.unreachedRows
        let new = unreached.filter { $0 >= PieceID(base.pieces.count) }
        #expect(new.count == 345)
        #expect(new.count { !reachability.hasChain($0) } == 338)
        let harmed = unreached.filter { $0 < PieceID(base.pieces.count) && !before.contains($0) }
        #expect(harmed.count == 194)
        let people = try #require(Tokenizer(merged).vocabulary.id(of: "▁people"))
        #expect(harmed.contains(people))
        #expect(texts(reachability.pieces(of: people), merged) == ["▁p", "eo", "ple"])
    }
}

struct MergeTreeTests {
    /// The cheapest sum over all trees, one by one.
    private func cheapest(_ range: Range<Int>, _ whole: Range<Int>, _ cost: (Range<Int>) -> Int) -> Int {
        if range.count == 1 { return 0 }
        let own = range == whole ? 0 : cost(range)
        return own
            + (range.lowerBound + 1..<range.upperBound).map { cut in
                cheapest(range.lowerBound..<cut, whole, cost) + cheapest(cut..<range.upperBound, whole, cost)
            }.min()!
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `the tree is the cheapest and its nodes come after those inside them`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...8, using: &generator)
        var costs: [Range<Int>: Int] = [:]
        for start in 0..<count {
            for end in start + 1...count { costs[start..<end] = Int.random(in: 0...3, using: &generator) }
        }
        let tree = MergeTree(count: count) { costs[$0]! }
        #expect(tree.cost == cheapest(0..<count, 0..<count) { costs[$0]! })
        #expect(tree.cost == tree.nodes.reduce(0) { $0 + costs[$1]! })
        #expect(tree.nodes.count == max(count - 2, 0))
        var parts = (0..<count).map { $0..<$0 + 1 }
        for node in tree.nodes {
            // Each node joins two ranges that are there.
            #expect(
                parts.contains { part in
                    part.lowerBound == node.lowerBound && parts.contains(part.upperBound..<node.upperBound)
                })
            parts.append(node)
        }
    }
}
