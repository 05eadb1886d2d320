import FileIO
import Foundation
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import CheckpointResizing

struct PieceNeighboursTests {
    private let old = ["▁"] + "abcdefghij".map(String.init)
    /// hij is never made: no two pieces make it.
    private let added = ["ab", "cd", "ef", "▁g", "hij"]

    private func neighbours(_ lines: [String], threads: Int = 2) throws -> [Int32: [PieceNeighbours.Neighbour]] {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/text.txt", lines.joined(separator: "\n").utf8)
            return try PieceNeighbours(pair(), texts: [directory + "/text.txt"], threads: threads).neighbours
        }
    }

    private func pair() throws -> TokenizerPair {
        try TokenizerPair(old: tokenizer(old), new: tokenizer(old + added))
    }

    private func lines(_ count: Int) -> [String] {
        var generator = SeededGenerator(seed: 21)
        return (0..<count).map { _ in
            let length = Int.random(in: 1...30, using: &generator)
            return String((0..<length).map { _ in "aabbcddefghij  ".randomElement(using: &generator) ?? "a" })
        }
    }

    /// ab stands where c does.
    @Test func theNearestStandsInTheSameSurroundings() throws {
        let found = try neighbours([String](repeating: "gabh gch idj jdi", count: 20))
        let id = Int32(old.count + 3)
        #expect(found[id]?.first?.id == Int32(old.firstIndex(of: "c") ?? 0) + 3)
        #expect(found[id]?.first?.weight == 1)
    }

    @Test func rarePiecesHaveNone() throws {
        #expect(try neighbours([String](repeating: "dabi", count: 9)).isEmpty)
        #expect(try neighbours([String](repeating: "dabi", count: 10)).keys.sorted() == [Int32(old.count + 3)])
    }

    @Test func agreesWithTheDefinition() throws {
        let lines = lines(400)
        let found = try neighbours(lines)
        let expected = try slowNeighbours(lines)
        #expect(found.keys.sorted() == expected.keys.sorted())
        #expect(found.count == added.count - 1)
        for (id, list) in expected {
            let ours = try #require(found[id])
            #expect(ours.map(\.id) == list.map(\.id), "\(id)")
            for (one, other) in zip(ours, list) { #expect(abs(one.weight - other.weight) < 1e-4) }
        }
    }

    /// Enough text for several batches.
    @Test func threadsChangeNothing() throws {
        let lines = lines(2000)
        let one = try neighbours(lines, threads: 1)
        for threads in [2, 3] {
            let other = try neighbours(lines, threads: threads)
            #expect(other.mapValues { $0.map(\.id) } == one.mapValues { $0.map(\.id) })
            #expect(other.mapValues { $0.map(\.weight) } == one.mapValues { $0.map(\.weight) })
        }
    }

    /// The pieces around each other as strings, one place after the other.
    private func slowNeighbours(_ lines: [String]) throws -> [Int32: [(id: Int32, weight: Double)]] {
        let pair = try pair()
        var characters: [Character: Double] = [:]
        func vectors(_ tokenizer: Tokenizer, from firstID: Int) -> [(id: Int32, vector: [String: Double])] {
            var counts: [Int32: [String: Double]] = [:]
            var occurrences: [Int32: Int] = [:]
            for line in lines where !line.allSatisfy({ $0 == " " }) {
                let pieces = tokenizer.encodePieces(line)
                let text = Array(pieces.map(\.text).joined())
                if firstID == 3 { for character in text { characters[character, default: 0] += 1 } }
                var start = 0
                for piece in pieces {
                    let end = start + piece.text.count
                    occurrences[piece.id.rawValue, default: 0] += 1
                    for distance in 1...4 {
                        let weight = 12 / Double(distance)
                        if start - distance >= 0 {
                            counts[piece.id.rawValue, default: [:]]["<\(text[start - distance])", default: 0] += weight
                        }
                        if end + distance <= text.count {
                            counts[piece.id.rawValue, default: [:]][">\(text[end + distance - 1])", default: 0] +=
                                weight
                        }
                    }
                    start = end
                }
            }
            let all = characters.values.reduce(0) { $0 + pow($1, 0.75) }
            return counts.keys.sorted().filter { Int($0) >= firstID && (occurrences[$0] ?? 0) >= 10 }.map { id in
                let row = counts[id] ?? [:]
                let total = row.values.reduce(0, +)
                let information = row.map { feature, count -> (String, Double) in
                    let share = pow(characters[feature.last ?? " "] ?? 0, 0.75) / all / 2
                    return (feature, max(0, log(count / total / share)))
                }
                return (id, Dictionary(uniqueKeysWithValues: information))
            }
        }
        func cosine(_ left: [String: Double], _ right: [String: Double]) -> Double {
            func length(_ vector: [String: Double]) -> Double { vector.values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            return left.reduce(0) { $0 + $1.value * (right[$1.key] ?? 0) } / length(left) / length(right)
        }
        let sources = vectors(pair.old, from: 3)
        var result: [Int32: [(id: Int32, weight: Double)]] = [:]
        for (id, vector) in vectors(pair.new, from: old.count + 3) {
            let ranked = sources.map { (id: $0.id, cosine: cosine(vector, $0.vector)) }.filter { $0.cosine > 0 }
                .sorted { ($1.cosine, $0.id) < ($0.cosine, $1.id) }.prefix(10)
            result[id] = ranked.map { ($0.id, exp(($0.cosine - (ranked.first?.cosine ?? 0)) / 0.1)) }
        }
        return result
    }

    /// A character of several pieces belongs to each of them.
    @Test func bytesOfACharacterStandWhereItStands() throws {
        var model = try tokenizer(["▁", "a"]).model
        model.proto.trainerSpec.byteFallback = true
        for byte in 0..<256 {
            var piece = SentencePieceModel.Piece()
            piece.piece = String(format: "<0x%02X>", byte)
            piece.type = .byte
            model.proto.pieces.append(piece)
        }
        let spelling = PieceSpelling(try Tokenizer(model))
        let text = SegmentedText(Array("a人a".utf8), spelling)
        #expect(String(String.UnicodeScalarView(text.scalars.compactMap { Unicode.Scalar($0) })) == "▁a人a")
        // 人 is E4 BA BA, and byte pieces begin with 5.
        #expect(text.ids == [3, 4, 233, 191, 191, 4])
        #expect(text.ranges == [0..<1, 1..<2, 2..<3, 2..<3, 2..<3, 3..<4])
    }

    @Test func unknownTextStandsForItself() throws {
        let text = SegmentedText(Array("ax".utf8), PieceSpelling(try tokenizer(["▁", "a"])))
        #expect(text.ids == [3, 4, 0])
        #expect(text.scalars.last == 0xFFFD)
        #expect(text.ranges.last == 2..<3)
    }
}
