import Corpora
import FileIO
import TestSupport
import Testing

@testable import Pretraining

@Suite struct TrainingMixTests {
    private func corpus(
        _ name: String, _ weight: String, documents: Int, number: Int, in directory: String, across: Bool = false,
        holdOut: HoldOut? = nil
    ) throws -> TrainingMix.Corpus {
        let path = "\(directory)/\(name).txt"
        try writeFile(path, sampleDocuments(documents, seed: UInt64(number)).joined(separator: "\n").utf8)
        let text = try TokenCacheDirectory(
            directory, tokenizer: byteTokenizer, threads: 1, observer: RunObserver()
        ).tokens(of: TextSource([path]), named: name, holdOut: holdOut)
        let blocks = PackedBlocks(
            text.trained, blockSize: 16, attendsAcrossDocuments: across, padding: 2, rows: 259)
        return TrainingMix.Corpus(
            name: name, weight: try #require(MixWeight(weight)), text: text, blocks: blocks, seed: 3, number: number)
    }

    @Test func everyCorpusGoesRoundInFullAtItsShare() throws {
        try withTemporaryDirectory { directory in
            let zh = try corpus("zh", "0.6", documents: 30, number: 0, in: directory)
            let en = try corpus("en", "0.4", documents: 12, number: 1, in: directory)
            var mix = TrainingMix([zh, en])
            let twice = mix.places(epochs: 2)
            let places = try #require(twice)
            let rows = try mix.blocks(0..<places).map { try mix.row($0) }
            let zhRows = try (0..<zh.blocks.blockCount).map { try zh.blocks.row($0) }
            for row in zhRows { #expect(rows.count { $0 == row } == 2) }
            let enRows = try (0..<en.blocks.blockCount).map { try en.blocks.row($0) }
            let taken = enRows.map { row in rows.count { $0 == row } }
            #expect(taken.reduce(0, +) + 2 * zhRows.count == places)
            #expect((taken.max() ?? 0) - (taken.min() ?? 0) <= 1)
            #expect(mix.epochs(before: places)[0] == 2)
            let again = try mix.blocks(7..<11).map { try mix.row($0) }
            #expect(again == Array(rows[7..<11]))
        }
    }

    @Test(arguments: [false, true], [0, 5, 31, 200])
    func everyIdIsAccountedFor(across: Bool, places: Int) throws {
        try withTemporaryDirectory { directory in
            let holdOut = HoldOut(share: 0.2)
            let corpora = [
                try corpus("zh", "0.6", documents: 40, number: 0, in: directory, across: across, holdOut: holdOut),
                try corpus("en", "0.4", documents: 50, number: 1, in: directory, across: across),
            ]
            var mix = TrainingMix(corpora)
            let rows = try mix.blocks(0..<places).map { try mix.row($0) }
            for (account, corpus) in zip(mix.accounts(places: places), corpora) {
                #expect(
                    account.ids == account.trained + account.heldOut + account.notReached + account.notPredicted)
                let blocks = try (0..<corpus.blocks.blockCount).map { try corpus.blocks.row($0) }
                let taken = blocks.filter { rows.contains($0) }
                #expect(account.trained == taken.reduce(0) { $0 + $1.targets.count { $0 >= 0 } })
                #expect(account.padding == blocks.reduce(0) { $0 + $1.documents.count } - placesWithIds(corpus))
                #expect(account.ids == account.textBytes + 2 * account.documents)
                #expect((account.heldOutDocuments > 0) == (corpus.name == "zh"))
            }
        }
    }

    private func placesWithIds(_ corpus: TrainingMix.Corpus) -> Int {
        let counts = corpus.text.trained.counts
        return corpus.blocks.attendsAcrossDocuments
            ? corpus.blocks.targetCount + corpus.blocks.blockCount : counts.targets
    }
}

@Suite struct HeldOutDocumentsTests {
    @Test func aDocumentIsOnOneSideInAnyOrderAndItsDuplicatesWithIt() throws {
        try withTemporaryDirectory { directory in
            let documents = sampleDocuments(100)
            func split(_ documents: [String]) throws -> (trained: Set<[Int32]>, heldOut: Set<[Int32]>) {
                let path = directory + "/text.txt"
                try writeFile(path, documents.joined(separator: "\n").utf8)
                let text = try TokenCacheDirectory(
                    directory, tokenizer: byteTokenizer, threads: 2, observer: RunObserver()
                ).tokens(of: TextSource([path]), named: "text", holdOut: HoldOut(share: 0.3))
                let heldOut = try #require(text.heldOut)
                #expect(text.trained.counts.documents + heldOut.counts.documents == documents.count)
                return (Set(ids(text.trained)), Set(ids(heldOut)))
            }
            let first = try split(documents)
            #expect(first.trained.isDisjoint(with: first.heldOut))
            #expect(first.heldOut.count > 15)
            let again = try split(documents.reversed() + documents)
            #expect(again.trained == first.trained)
            #expect(again.heldOut == first.heldOut)
        }
    }

    @Test(arguments: [0.000001, 0.999999])
    func aShareThatLeavesNothingOnOneSideIsRefused(share: Double) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/text.txt"
            try writeFile(path, "one\ntwo\n".utf8)
            let caches = TokenCacheDirectory(directory, tokenizer: byteTokenizer, threads: 1, observer: RunObserver())
            let error = TrainingDataError.badHoldOut(
                paths: [path], share: share, heldOut: share < 0.5 ? 0 : 2, documents: 2)
            for _ in 0..<2 {
                #expect(throws: error) {
                    try caches.tokens(of: TextSource([path]), named: "text", holdOut: HoldOut(share: share))
                }
            }
        }
    }

    private func ids(_ cache: TokenCache) -> [[Int32]] {
        cache.withTokens { ids in
            (0..<cache.counts.documents).map {
                Array(ids[cache.start(ofDocument: $0)..<cache.start(ofDocument: $0 + 1)])
            }
        }
    }
}
