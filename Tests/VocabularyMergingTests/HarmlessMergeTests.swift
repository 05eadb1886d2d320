import FileIO
import PieceModel
import TestSupport
import Testing
import TokenizerFormats
import Tokenizers
import UnicodeText

@testable import VocabularyMerging

struct HarmlessMergeTests {
    private func merge(
        _ base: [(String, Float)], _ addition: [String], adjust: (inout HarmlessOptions) -> Void = { _ in }
    ) throws -> VocabularyMerge {
        var options = HarmlessOptions()
        adjust(&options)
        return try VocabularyMerge(
            base: bpeModel(base), addition: bpeModel(addition.map { ($0, 0) }), harmlessly: options)
    }

    private func newPieces(_ merge: VocabularyMerge) -> [String] { merge.model.pieces.suffix(merge.added).map(\.piece) }

    @Test func `only pieces with a Chinese character are added, below all of the base`() throws {
        let merge = try merge(
            [("a", 0), ("b", 0), ("▁", 0), ("。", 0), ("中", -1), ("▁▁", -1e9)],
            ["ab", "。。", "▁中", "中", "中。", "。", "a中", "b"])
        #expect(newPieces(merge) == ["▁中", "中。", "a中"])
        #expect(merge.model.pieces.suffix(3).map(\.score) == [-1_000_000_064, -1_000_000_128, -1_000_000_192])
        #expect((merge.added, merge.shared, merge.foreign, merge.bridges) == (3, 3, 2, 0))
        #expect(merge.model.proto.trainerSpec.vocabSize == Int32(merge.model.pieces.count))
    }

    @Test func `scripts decide what is Chinese`() throws {
        let base: [(String, Float)] = [("か", 0), ("な", 0), ("中", 0), ("国", 0)]
        #expect(newPieces(try merge(base, ["かな", "中国"])) == ["中国"])
        #expect(newPieces(try merge(base, ["かな", "中国"]) { $0.scripts = [.kana] }) == ["かな"])
        #expect(newPieces(try merge(base, ["かな", "中国"]) { $0.scripts = [.kana, .han] }) == ["かな", "中国"])
    }

    @Test func `what has no chain gets bridges, those that are wanted anyway first`() throws {
        let base: [(String, Float)] = ["越", "来", "民", "国"].map { ($0, 0) }
        #expect(newPieces(try merge(base, ["越来越"])) == ["越来", "越来越"])
        let merge = try merge(base, ["人民国", "民国"])
        #expect(newPieces(merge) == ["人", "民国", "人民国"])
        #expect(merge.bridges == 1)
    }

    @Test func `a piece that the base takes apart is built on the base's own pieces`() throws {
        // The base joins 国a and leaves 中, 国a, b: they are joined from the left.
        let merge = try merge([("a", 0), ("b", 0), ("中", 0), ("国", 0), ("国a", -1)], ["中国ab"])
        #expect(newPieces(merge) == ["中国a", "中国ab"])
        #expect(try Reachability(merge.model).unreachedRows == [])
    }

    @Test func `a character that may not be added keeps what holds it out`() throws {
        let merge = try merge([("中", 0), ("国", 0)], ["中☃", "中国"])
        #expect(newPieces(merge) == ["中国"])
        #expect(merge.unreachable == 1)
    }

    @Test func `what holds a user-defined piece is not reachable`() throws {
        var base = bpeModel([("中", 0), ("国", 0), ("人", 0), ("中国", 0)])
        base.proto.pieces[4].type = .userDefined
        let merge = try VocabularyMerge(
            base: base, addition: bpeModel([("中国人", 0), ("国人", 0)]), harmlessly: HarmlessOptions())
        #expect(newPieces(merge) == ["国人"])
        #expect(merge.unreachable == 1)
    }

    @Test func `what the base's normalization changes is not reachable`() throws {
        guard let path = sharedData("tokenizers/chinese-20k.model") else { return }
        var base = bpeModel([("中", 0), (",", 0), ("，", 0), ("国", 0)])
        base.proto.normalizerSpec = try SentencePieceModel(contentsOf: path).proto.normalizerSpec
        let merge = try VocabularyMerge(
            base: base, addition: bpeModel([("中，", 0), ("中,", 0), ("中国", 0)]), harmlessly: HarmlessOptions())
        #expect(newPieces(merge) == ["中,", "中国"])
    }

    @Test func `what normalization takes out of every text is not reachable, and counts as harm`() throws {
        guard let path = sharedData("tokenizers/chinese-20k.model") else { return }
        // Its rules make a space of ▁, and one space of two.
        var base = bpeModel([("中", 0), ("国", 0), ("▁", 0)])
        base.proto.normalizerSpec = try SentencePieceModel(contentsOf: path).proto.normalizerSpec
        let addition = bpeModel([("中▁▁国", 0), ("中▁国", 0)])
        let merge = try VocabularyMerge(base: base, addition: addition, harmlessly: HarmlessOptions())
        #expect(newPieces(merge) == ["中▁", "中▁国"])
        #expect(merge.unreachable == 1)
        try MergeHarm(base: base, merged: merge.model).check(base: "test.model")
        let appended = try VocabularyMerge(base: base, addition: bpeModel([("▁▁", 0)])).model
        let harm = try MergeHarm(base: base, merged: appended)
        #expect(harm.unreached == [4] && harm.broken == [])
    }

    @Test func `what holds the name of a control piece, which tokenizer.json cuts out of texts, is left out`() throws {
        let letters = ["<", "s", ">", "u", "n", "k", "▁", "中", "国"]
        var base = bpeModel((letters + ["<s>", "s s"]).map { ($0, 0) })
        for id in letters.count + 1..<base.pieces.count { base.proto.pieces[id].type = .control }
        var options = HarmlessOptions()
        options.words = ["<s>中", "中<unk>国", "s>中", "中s s", "中<国>"]
        options.controlNames = ["<国>"]
        let merge = try VocabularyMerge(base: base, addition: bpeModel([("中<s>国", 0)]), harmlessly: options)
        #expect(newPieces(merge) == [">中", "s>中"])
        #expect(merge.wordsLeftOut == ["<s>中", "中<unk>国", "中s▁s", "中<国>"])
        #expect(merge.unreachable == 1)
    }

    @Test func `characters that cannot be added are named`() throws {
        let merge = try merge([("中", 0)], []) {
            $0.characters = [0x4E2D, 0x56FD, 0x4EBA, 0x61]
            $0.controlNames = ["国"]
        }
        #expect(newPieces(merge) == ["人"])
        #expect(merge.charactersLeftOut == ["国"])
    }

    @Test func `words and characters are there whatever the size leaves out`() throws {
        let merge = try merge([("a", 0), ("▁", 0), ("中", 0), ("国", 0)], ["中国", "国中", "中中"]) {
            $0.words = ["国中国", "中 a", "Word"]
            $0.characters = [0x4EBA, 0x61, 0x4E2D]
            $0.size = 5 + 6
        }
        #expect(newPieces(merge) == ["国中", "国中国", "中▁", "中▁a", "中国", "人"])
        #expect((merge.bridges, merge.dropped) == (1, 1))
        #expect(merge.wordsLeftOut == ["Word"])
    }

    @Test func `of more than the size the texts choose what saves most, with what it needs`() throws {
        try withTemporaryDirectory { directory in
            let text = directory + "/text.txt"
            try writeFile(text, "中国人民\n中国人民\n人民\n国中\n".utf8)
            let base: [(String, Float)] = ["中", "国", "人", "民"].map { ($0, 0) }
            let addition = ["国中", "中国", "人民", "中国人民"]
            func best(_ size: Int) throws -> [String] {
                newPieces(
                    try merge(base, addition) {
                        $0.size = 5 + size
                        $0.corpus = [text]
                    })
            }
            #expect(try best(1) == ["人民"])
            #expect(try best(2) == ["中国", "人民"])
            #expect(try best(3) == ["中国", "人民", "中国人民"])
            #expect(try best(4) == addition)
            #expect(newPieces(try merge(base, addition) { $0.size = 6 }) == ["国中"])
            #expect(throws: MergeError.tooFewPieces(size: 10, path: "test.model", possible: 9)) { try best(5) }
        }
    }

    @Test func `texts without anything in them choose nothing`() throws {
        try withTemporaryDirectory { directory in
            let text = directory + "/text.txt"
            try writeFile(text, "\n\n".utf8)
            #expect(throws: MergeError.noText(paths: [text])) {
                try merge([("中", 0), ("国", 0)], ["中国", "国中"]) {
                    $0.size = 4
                    $0.corpus = [text]
                }
            }
        }
    }

    @Test func `a size without room for what is required is refused`() {
        #expect(throws: MergeError.sizeBelowRequired(size: 4, needed: 6)) {
            try merge([("中", 0), ("国", 0), ("人", 0)], []) {
                $0.words = ["中国人"]
                $0.size = 4
            }
        }
        #expect(throws: MergeError.noRoomBelow(path: "test.model", score: -3e38)) {
            try merge([("中", -3e38)], [])
        }
    }

    /// Bases and additions that merges of few letters fight over; every way to harm would show.
    @Test(arguments: 0..<16 as Range<UInt64>)
    func `no text without Chinese changes, each piece is reached, and the formats agree`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func text(_ letters: [String], _ count: ClosedRange<Int>) -> String {
            (0..<Int.random(in: count, using: &generator)).map { _ in letters.randomElement(using: &generator)! }
                .joined()
        }
        let letters = ["a", "b", "中", "国"]
        var pieces: [(String, Float)] = (letters + ["▁"]).map { ($0, 0) }
        var known = Set(pieces.map(\.0))
        while pieces.count < 20 {
            let piece = text(letters, 2...4)
            if known.insert(piece).inserted { pieces.append((piece, -Float(pieces.count))) }
        }
        let base = bpeModel(pieces)
        var addition: [String] = []
        while addition.count < 30 {
            let piece = text(letters + ["▁", "人"], 2...7)
            if known.insert(piece).inserted { addition.append(piece) }
        }
        let merge = try VocabularyMerge(
            base: base, addition: bpeModel(addition.map { ($0, 0) }), harmlessly: HarmlessOptions())
        let harm = try MergeHarm(base: base, merged: merge.model)
        #expect(harm.unreached == [] && harm.broken == [])
        let (before, after) = (try Tokenizer(base), try Tokenizer(merge.model))
        let fast = try TokenizerJSON(after).utf8().withUnsafeBytes {
            try HuggingFaceTokenizer(bytes: $0, path: "tokenizer.json")
        }
        for _ in 0..<100 {
            let plain = text(["a", "b", " "], 1...12)
            #expect(before.encode(plain) == after.encode(plain), "\(plain)")
            let mixed = text(letters + ["人"], 1...16)
            let ids = Array(mixed.utf8).withUnsafeBufferPointer { fast.encode(utf8: $0) }
            #expect(ids == after.encode(mixed), "\(mixed)")
        }
    }

    @Test func `of the shared models no English text changes and each row is reached`() throws {
        guard let llama = sharedData("tokenizers/llama-32k.model"),
            let chinese = sharedData("tokenizers/chinese-20k.model"), let english = sharedData("corpora/botchan.en.txt")
        else { return }
        let base = try SentencePieceModel(contentsOf: llama)
        var options = HarmlessOptions()
        options.characters = try #require(TextDecoder.characters(ofEncoding: "gb2312"))
        let merge = try VocabularyMerge(
            base: base, addition: SentencePieceModel(contentsOf: chinese), harmlessly: options)
        try MergeHarm(base: base, merged: merge.model).check(base: llama)
        let tokenizer = try Tokenizer(merge.model)
        let han = ScriptSet([.han])
        for scalar in options.characters where han.contains(scalar) {
            #expect(tokenizer.vocabulary.id(of: UTF8Scalars.bytes(of: scalar)) != nil)
        }
        for piece in ["越来越", "意大利", "中华人民共和国"] { #expect(tokenizer.vocabulary.id(of: piece) != nil) }
        let comparison = try TextComparison(
            base: Tokenizer(base), merged: tokenizer, without: han, onLinesOf: [english])
        #expect(comparison.withoutScripts > 4000 && comparison.changed == 0)
        // A merge on a merge keeps all ids.
        var more = HarmlessOptions()
        more.words = ["冠状动脉粥样硬化性心脏病", "经皮冠状动脉介入治疗"]
        let second = try VocabularyMerge(base: merge.model, addition: bpeModel([]), harmlessly: more)
        #expect(second.model.pieces.prefix(merge.model.pieces.count).elementsEqual(merge.model.pieces))
        try MergeHarm(base: merge.model, merged: second.model).check(base: llama)
        let words = try Tokenizer(second.model.withoutNormalization)
        for word in more.words { #expect(words.encode(word).count == 1) }
    }
}
