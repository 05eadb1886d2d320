import TestSupport
import Testing

@testable import Pretraining

/// A slow, obvious packing: every document as pairs of input and target, joined, cut.
private func referenceRows(_ documents: [String], blockSize: Int) -> [PackedBlocks.Row] {
    var places: [(input: Int32, target: Int32, document: Int)] = []
    for (number, document) in documents.enumerated() {
        let ids = [1] + document.utf8.map { Int32($0) + 3 } + [2]
        for (input, target) in zip(ids.dropLast(), ids.dropFirst()) { places.append((input, target, number)) }
    }
    return stride(from: 0, to: places.count, by: blockSize).map { start in
        var row = PackedBlocks.Row()
        var numbers: [Int] = []
        for place in places[start..<min(start + blockSize, places.count)] {
            if numbers.last != place.document { numbers.append(place.document) }
            row.positions.append(row.documents.last == Int32(numbers.count - 1) ? (row.positions.last ?? -1) + 1 : 0)
            row.documents.append(Int32(numbers.count - 1))
            row.tokens.append(place.input)
            row.targets.append(place.target)
        }
        for filler in 0..<(blockSize - row.tokens.count) {
            row.tokens.append(2)
            row.targets.append(-1)
            row.positions.append(Int32(filler))
            row.documents.append(Int32(numbers.count))
        }
        return row
    }
}

@Suite struct PackedBlocksTests {
    @Test(arguments: [1, 2, 7, 16, 41, 64, 5000])
    func rowsEqualTheObviousPacking(blockSize: Int) throws {
        try withTemporaryDirectory { directory in
            let documents = sampleDocuments(60)
            let cache = try makeCache(documents, in: directory)
            let blocks = PackedBlocks(cache, blockSize: blockSize, padding: 2, rows: 259)
            let expected = referenceRows(documents, blockSize: blockSize)
            #expect(blocks.blockCount == expected.count)
            for (block, row) in expected.enumerated() { #expect(try blocks.row(block) == row) }
        }
    }

    @Test func everyIdIsPredictedOnceAndTheLastTargetOfADocumentIsItsEnd() throws {
        try withTemporaryDirectory { directory in
            let documents = sampleDocuments(100)
            let cache = try makeCache(documents, in: directory)
            let blocks = PackedBlocks(cache, blockSize: 16, padding: 2, rows: 259)
            let rows = try (0..<blocks.blockCount).map { try blocks.row($0) }
            let targets = rows.flatMap(\.targets)
            let bytes = documents.reduce(0) { $0 + $1.utf8.count }
            #expect(cache.counts.tokens == bytes + 2 * documents.count)
            #expect(targets.count { $0 >= 0 } == cache.counts.tokens - documents.count)
            #expect(targets.count { $0 == 2 } == documents.count)
            #expect(targets.count { $0 == -1 } == blocks.paddingCount)
            #expect(blocks.paddingCount < 16)
            #expect(blocks.targetCount == cache.counts.targets)
            for (block, row) in rows.enumerated() {
                #expect(blocks.targetCount(ofBlock: block) == row.targets.count { $0 >= 0 })
            }
            // No target is a begin piece: nothing predicts the next document.
            #expect(!targets.contains(1))
            let trained = targets.filter { $0 >= 0 }
            #expect(trained == documents.flatMap { $0.utf8.map { Int32($0) + 3 } + [2] })
        }
    }

    @Test func anotherDocumentDoesNotChangeARowOfItsNeighbours() throws {
        try withTemporaryDirectory { directory in
            let before = try makeCache(["aaaa", "bbbb", "cccc"], in: directory)
            let after = try makeCache(["axxa", "bbbb", "cccc"], in: directory)
            let first = try PackedBlocks(before, blockSize: 15, padding: 2, rows: 259).row(0)
            let second = try PackedBlocks(after, blockSize: 15, padding: 2, rows: 259).row(0)
            #expect(first.tokens != second.tokens)
            #expect(first.tokens.dropFirst(5) == second.tokens.dropFirst(5))
            #expect(first.targets.dropFirst(5) == second.targets.dropFirst(5))
            #expect(first.documents == second.documents)
            #expect(first.positions == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
        }
    }

    @Test(arguments: [2, 3, 7, 16, 64, 5000])
    func documentsThatSeeOneAnotherAreOneSequence(blockSize: Int) throws {
        try withTemporaryDirectory { directory in
            let documents = sampleDocuments(60)
            let cache = try makeCache(documents, in: directory)
            let blocks = PackedBlocks(
                cache, blockSize: blockSize, attendsAcrossDocuments: true, padding: 2, rows: 259)
            let ids: [Int32] = documents.flatMap { [1] + $0.utf8.map { Int32($0) + 3 } + [2] }
            // A last id of its own would be a block without a target.
            let cuts = stride(from: 0, to: ids.count, by: blockSize).map { ids[$0..<min($0 + blockSize, ids.count)] }
                .filter { $0.count > 1 }
            #expect(blocks.blockCount == cuts.count)
            for (block, cut) in cuts.enumerated() {
                let row = try blocks.row(block)
                let filled = blockSize - cut.count
                #expect(row.tokens == Array(cut) + Array(repeating: 2, count: filled))
                #expect(row.targets == Array(cut.dropFirst()) + Array(repeating: -1, count: filled + 1))
                #expect(row.positions == Array(0..<Int32(cut.count)) + Array(0..<Int32(filled)))
                #expect(
                    row.documents == Array(repeating: 0, count: cut.count) + Array(repeating: 1, count: filled))
                #expect(blocks.targetCount(ofBlock: block) == cut.count - 1)
            }
            #expect(blocks.targetCount == cuts.reduce(0) { $0 + $1.count - 1 })
            #expect(blocks.paddingCount == cuts.reduce(0) { $0 + blockSize - $1.count })
        }
    }

    @Test func aLastIdOfItsOwnIsNoBlock() throws {
        try withTemporaryDirectory { directory in
            // Eight ids and one: begin, seven letters, end.
            let cache = try makeCache(["abcdefg"], in: directory)
            let blocks = PackedBlocks(cache, blockSize: 4, attendsAcrossDocuments: true, padding: 2, rows: 259)
            #expect(cache.counts.tokens == 9)
            #expect(blocks.blockCount == 2)
            #expect(blocks.targetCount == 6)
            #expect(blocks.paddingCount == 0)
        }
    }

    @Test func anIdBeyondTheModelIsRefused() throws {
        try withTemporaryDirectory { directory in
            let cache = try makeCache(["az"], in: directory)
            let blocks = PackedBlocks(cache, blockSize: 8, padding: 2, rows: 120)
            #expect(throws: TrainingDataError.self) { try blocks.row(0) }
            let joined = PackedBlocks(cache, blockSize: 8, attendsAcrossDocuments: true, padding: 2, rows: 120)
            #expect(throws: TrainingDataError.self) { try joined.row(0) }
        }
    }
}
