import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import PieceModel
import Safetensors
import TestSupport
import Testing
import Tokenizers

@testable import CheckpointResizing

/// Each way of starting against a slow, obvious computation of it.
struct RowStartTests {
    /// 26 letters and ▁, and new pieces of two letters each, enough for several blocks of rows.
    private let letters = ["▁"] + "abcdefghijklmnopqrstuvwxyz".map(String.init)
    private var pairs: [String] { letters[1...16].flatMap { first in letters[1...16].map { first + $0 } } }
    private let width = 6

    /// The new rows of embedding and head as floats, and the old rows.
    private func rows(
        _ starts: RowStarts, tied: Bool = false, type: TensorType = .float32, threads: Int = 2, new: [String]? = nil,
        change: (inout SentencePieceModel) -> Void = { _ in }
    ) throws -> (input: [Float], head: [Float], oldInput: [Float], oldHead: [Float]) {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old", pieces: letters, type: type, tied: tied)
            var starts = starts
            if !starts.texts.isEmpty {
                let texts = starts.texts
                starts.texts = [directory + "/text.txt"]
                try writeFile(directory + "/text.txt", texts.joined(separator: "\n").utf8)
            }
            var model = try tokenizer(letters + (new ?? pairs)).model
            change(&model)
            let old = try Checkpoint(directory: directory + "/old")
            let resizer = try VocabularyResizer(old, to: Tokenizer(model), starts: starts, threads: threads)
            let bytes = try resizer.newRowBytes(starts)
            func floats(_ name: String) -> [Float] { (bytes[name] ?? []).withUnsafeBytes { type.floats($0) } }
            return (
                floats("model.embed_tokens.weight"), floats("lm_head.weight"),
                try old.floats(of: "model.embed_tokens.weight"), tied ? [] : try old.floats(of: "lm_head.weight")
            )
        }
    }

    private func row(_ matrix: [Float], _ number: Int) -> [Float] {
        Array(matrix[number * width..<(number + 1) * width])
    }

    private func mean(_ rows: [[Float]]) -> [Float] {
        (0..<width).map { column in Float(rows.reduce(0.0) { $0 + Double($1[column]) } / Double(rows.count)) }
    }

    private func norm(_ row: [Float]) -> Double { row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }

    private var text: [String] {
        var generator = SeededGenerator(seed: 4)
        return (0..<300).map { _ in
            String((0..<40).map { _ in "abcdefghijklmnop ".randomElement(using: &generator) ?? "a" })
        }
    }

    @Test func zeroIsZero() throws {
        let result = try rows(RowStarts(.zero, norm: .match))
        #expect(result.input == [Float](repeating: 0, count: 256 * width))
        #expect(result.head == result.input)
    }

    /// The first piece's row for the head, the last piece's for the input.
    @Test func firstAndLastAreThoseOfThePiece() throws {
        let result = try rows(RowStarts(.subwordFirstLast))
        // ac: ▁ is row 3, a 4, c 6.
        #expect(row(result.input, 2) == row(result.oldInput, 6))
        #expect(row(result.head, 2) == row(result.oldHead, 4))
    }

    @Test func aTiedRowIsTheMeanOfFirstAndLast() throws {
        let result = try rows(RowStarts(.subwordFirstLast), tied: true, new: ["abc"])
        #expect(row(result.input, 0) == mean([row(result.oldInput, 4), row(result.oldInput, 6)]))
    }

    @Test func inputAndHeadStartInDifferentWays() throws {
        let result = try rows(RowStarts(input: .zero, head: .mean))
        #expect(result.input.allSatisfy { $0 == 0 })
        #expect(row(result.head, 7) == mean((0..<30).map { row(result.oldHead, $0) }))
    }

    @Test func tiedRowsStartInOneWay() throws {
        #expect {
            _ = try rows(RowStarts(input: .zero, head: .mean), tied: true)
        } throws: { "\($0)".contains("give --init alone") }
    }

    @Test(arguments: RowInitialization.allCases.filter { $0 != .zero })
    func matchedNormsAreThoseOfOldRows(_ initialization: RowInitialization) throws {
        let result = try rows(RowStarts(initialization, norm: .match, texts: text))
        let expected = (0..<30).reduce(0.0) { $0 + norm(row(result.oldInput, $1)) } / 30
        for number in 0..<256 { #expect(abs(norm(row(result.input, number)) / expected - 1) < 1e-6) }
        let kept = try rows(RowStarts(initialization, texts: text))
        // The direction stays.
        let product = zip(row(result.input, 9), row(kept.input, 9)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(product / norm(row(result.input, 9)) / norm(row(kept.input, 9)) - 1) < 1e-6)
    }

    @Test(arguments: RowInitialization.allCases, [false, true])
    func bytesDependOnNoThreads(_ initialization: RowInitialization, _ tied: Bool) throws {
        let starts = RowStarts(initialization, seed: 5, texts: text)
        let one = try rows(starts, tied: tied, type: .bfloat16, threads: 1)
        for threads in [2, 3] {
            let other = try rows(starts, tied: tied, type: .bfloat16, threads: threads)
            #expect(other.input == one.input)
            #expect(other.head == one.head)
        }
        #expect(one.input.count == 256 * width)
        #expect(one.head.count == (tied ? 0 : 256 * width))
    }

    @Test(arguments: [RowInitialization.normal, .covariance, .script])
    func drawsDependOnTheSeed(_ initialization: RowInitialization) throws {
        let first = try rows(RowStarts(initialization, seed: 1))
        #expect(try rows(RowStarts(initialization, seed: 1)).input == first.input)
        #expect(try rows(RowStarts(initialization, seed: 2)).input != first.input)
    }

    @Test(arguments: [RowInitialization.normal, .covariance, .script])
    func withoutSpreadADrawIsTheMean(_ initialization: RowInitialization) throws {
        var starts = RowStarts(initialization)
        starts.spread = 0
        // Of one script, as ▁ is no letter.
        let result = try rows(starts)
        let from = initialization == .script ? 4..<30 : 0..<30
        let expected = mean(from.map { row(result.oldInput, $0) })
        for number in 0..<256 { #expect(row(result.input, number) == expected) }
    }

    /// Numbers that are too large for the type of the tensor, though not for what they are computed in.
    @Test(arguments: [RowInitialization.normal, .covariance, .script])
    func drawsThatAreNotFiniteAreRefused(_ initialization: RowInitialization) throws {
        for (type, spread) in [(TensorType.float32, 1e300), (.bfloat16, 1e300), (.float16, 1e6)] {
            let starts = RowStarts(input: initialization, head: initialization, spread: spread)
            #expect {
                _ = try rows(starts, type: type)
            } throws: {
                "\($0)".contains("lm_head.weight would hold") || "\($0)".contains("embed_tokens.weight would hold")
            }
        }
        let result = try rows(RowStarts(input: initialization, head: initialization, spread: 1e6))
        #expect(result.input.allSatisfy { $0.isFinite })
    }

    @Test func rowsThatTakeThePlaceOfPaddingAreNotAppended() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old") { plans, config in
                plans[0].shape[0] = 13
                plans[plans.count - 1].shape[0] = 13
                config["vocab_size"] = 13
            }
            let resizer = try VocabularyResizer(
                Checkpoint(directory: directory + "/old"), to: tokenizer(newPieces), starts: RowStarts(.mean))
            #expect(throws: ResizingError.notAppended(directory: directory + "/old")) {
                try resizer.newRowBytes(RowStarts(.mean))
            }
        }
    }

    /// The draws of `script` have the moments of the rows of its letters; what has no letter, those of all rows.
    @Test func scriptIsThatOfTheLetters() throws {
        var starts = RowStarts(.script)
        starts.spread = 0
        let result = try rows(starts, new: ["ab1", "12", "人a", "a人人"])
        let latin = mean((4..<30).map { row(result.oldInput, $0) })
        let all = mean((0..<30).map { row(result.oldInput, $0) })
        // Han has no old rows.
        #expect((0..<4).map { row(result.input, $0) } == [latin, all, all, all])
        #expect(dominantScript("人a") == dominantScript("人"))
        #expect(dominantScript("a人人") == dominantScript("人"))
        #expect(dominantScript("▁12。") == dominantScript("."))
    }

    /// Padding and control pieces are no text, whatever their names are made of.
    @Test(arguments: [RowInitialization.subwordMean, .subwordFirstLast, .neighbours])
    func whatIsNoTextStartsAsTheMean(_ initialization: RowInitialization) throws {
        let starts = RowStarts(initialization, texts: text)
        let result = try rows(starts, new: ["pad", "abc", "de", "人"]) { model in
            model.proto.pieces[30].type = .unused
            model.proto.pieces[31].type = .control
        }
        let all = mean((0..<30).map { row(result.oldHead, $0) })
        #expect([0, 1, 3].map { row(result.head, $0) } == [all, all, all])
        #expect(row(result.head, 2) != all)
    }

    @Test(arguments: RowInitialization.allCases)
    func nanIsRefused(_ initialization: RowInitialization) throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old", pieces: letters)
            let path = directory + "/old/model.safetensors"
            let place = try #require(SafetensorsFile(path)["lm_head.weight"]).byteRange.upperBound - 4
            var bytes = try readFile(path)
            bytes.replaceSubrange(place..<place + 4, with: TensorType.float32.bytes([.nan]))
            try writeFile(path, bytes)
            try writeFile(directory + "/text.txt", "a".utf8)
            let resizer = try VocabularyResizer(
                Checkpoint(directory: directory + "/old"), to: tokenizer(letters + pairs),
                starts: RowStarts(initialization, texts: [directory + "/text.txt"]))
            #expect(throws: ResizingError.notFinite(path: path, tensor: "lm_head.weight")) {
                try resizer.write(to: directory + "/new", tokenizerFiles: [], replacing: false)
            }
        }
    }

    @Test func neighboursNeedTexts() throws {
        #expect(throws: ResizingError.noTexts) { _ = try rows(RowStarts(.neighbours)) }
    }
}
