import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers
import UnicodeText

@testable import TokenizerTraining

struct ContinuationTests {
    private func goOn(
        from base: SentencePieceModel, _ paths: [String], newPieces: Int, scripts: [Script] = [], threads: Int = 2,
        adjust: (inout Sentencepiece_TrainerSpec) -> Void = { _ in }
    ) throws -> SentencePieceModel {
        var specification = Sentencepiece_TrainerSpec()
        specification.input = paths
        specification.modelType = .bpe
        specification.vocabSize = Int32(base.pieces.count + newPieces)
        adjust(&specification)
        var trainer = TokenizerTrainer(
            specification: specification, normalizerSpecification: .init(), threads: threads)
        trainer.continuation = .init(base: base, newPieces: newPieces, scripts: scripts)
        return try trainer.train()
    }

    private func goOn(
        from base: SentencePieceModel, text: String, newPieces: Int, scripts: [Script] = []
    ) throws -> SentencePieceModel {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/text.txt", text.utf8)
            return try goOn(from: base, [directory + "/text.txt"], newPieces: newPieces, scripts: scripts) {
                $0.characterCoverage = 1
            }
        }
    }

    /// New pieces whose text alone is encoded to anything but themselves.
    private func unreachable(_ model: SentencePieceModel, after base: SentencePieceModel) throws -> [String] {
        let tokenizer = try Tokenizer(model.withoutNormalization)
        return model.pieces.indices.dropFirst(base.pieces.count).filter {
            tokenizer.encode(model.pieces[$0].piece) != [PieceID($0)]
        }.map { model.pieces[$0].piece }
    }

    private func check(_ model: SentencePieceModel, goesOnFrom base: SentencePieceModel) throws {
        #expect(Array(model.pieces.prefix(base.pieces.count)) == base.pieces)
        let scores = model.pieces.dropFirst(base.pieces.count).map(\.score)
        let lowest = base.pieces.filter { $0.type == .normal }.map(\.score).min() ?? 0
        #expect(zip([lowest] + scores, scores).allSatisfy { $0 > $1 })
        #expect(try unreachable(model, after: base) == [])
        #expect(model.proto.trainerSpec.vocabSize == Int32(model.pieces.count))
        #expect(model.proto.normalizerSpec == base.proto.normalizerSpec)
    }

    @Test func `characters come first, then merges on top of the base's`() throws {
        let base = try trainModel("abab abab cd\n", type: .bpe, size: 3 + 3 + 5)
        let model = try goOn(from: base, text: "abab中abab中 ababab\n", newPieces: 2)
        try check(model, goesOnFrom: base)
        #expect(model.pieces.suffix(2).map(\.piece) == ["中", "▁abab"])
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `each new piece is reached on random texts of few letters`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func text(_ letters: [String], _ count: Int) -> String {
            (0..<count).map { _ in letters.randomElement(using: &generator)! }.joined()
        }
        let base = try trainModel(
            text(["a", "b", "c", " ", "\n"], 600), type: .bpe, size: 30
        ) { $0.byteFallback = false }
        let model = try goOn(
            from: base, text: text(["a", "b", "c", "d", "中", " ", "\n"], 3000), newPieces: 120)
        try check(model, goesOnFrom: base)
    }

    @Test func `of the shared corpora each new piece is reached, and with Han alone English keeps its ids`() throws {
        guard let path = sharedData("tokenizers/llama-32k.model"), let chinese = sharedData("corpora/wiki.zh.txt"),
            let english = sharedData("corpora/botchan.en.txt")
        else { return }
        let base = try SentencePieceModel(contentsOf: path)
        let model = try goOn(from: base, [chinese], newPieces: 4000, scripts: [.han])
        try check(model, goesOnFrom: base)
        let (before, after) = (try Tokenizer(base), try Tokenizer(model))
        var changed = 0
        try forEachLine(of: english) { line in
            if before.encode(utf8: line) != after.encode(utf8: line) { changed += 1 }
        }
        #expect(changed == 0)
        var tokens = (0, 0)
        try forEachLine(of: chinese) { line in
            tokens.0 += before.encode(utf8: line).count
            tokens.1 += after.encode(utf8: line).count
        }
        #expect(tokens.1 * 3 < tokens.0 * 2)
        let han = ScriptSet([.han])
        for piece in model.pieces.dropFirst(base.pieces.count) {
            #expect(han.isFound(in: Array(piece.piece.utf8)), "\(piece.piece)")
        }
    }

    @Test func `the number of threads changes nothing`() throws {
        let sample = repositoryRoot + "/corpora/sample.zh.txt"
        let base = try trainModel(
            String(decoding: try readFile(sample).prefix(9000), as: UTF8.self), type: .bpe, size: 2000
        ) { $0.hardVocabLimit = false }
        let one = try goOn(from: base, [sample], newPieces: 900, threads: 1)
        #expect(try goOn(from: base, [sample], newPieces: 900, threads: 3).serialized() == one.serialized())
        try check(one, goesOnFrom: base)
    }

    @Test func `a base that is no BPE model or a text that gives too few is refused`() throws {
        let characters = try trainModel("ab", type: .char, size: 5)
        #expect(throws: TrainingError.self) { try goOn(from: characters, text: "ab", newPieces: 1) }
        let base = try trainModel("ab", type: .bpe, size: 6)
        #expect(throws: TrainingError.tooFewNewPieces(wanted: 5, possible: 0)) {
            try goOn(from: base, text: "ab", newPieces: 5)
        }
        #expect(throws: TrainingError.tooFewPiecesForCharacters(wanted: 1, needed: 2)) {
            try goOn(from: base, text: "cd", newPieces: 1)
        }
    }
}
