import CheckpointResizing
import Checkpoints
import FileIO
import Foundation
import PieceModel
import Safetensors
import TestSupport
import Testing
import Tokenizers

@testable import Pretraining

struct StartComparisonTests {
    /// <unk>, <s>, </s>, the 256 bytes, and some pieces.
    private func tokenizer(_ pieces: [String], at path: String) throws -> Tokenizer {
        var model = SentencePieceModel(proto: .init(), path: path)
        model.proto.trainerSpec.modelType = .bpe
        model.proto.trainerSpec.byteFallback = true
        model.proto.normalizerSpec.name = "identity"
        let bytes = (0..<256).map { String(format: "<0x%02X>", $0) }
        for (index, text) in (["<unk>", "<s>", "</s>"] + bytes + pieces).enumerated() {
            var piece = SentencePieceModel.Piece()
            piece.piece = text
            piece.score = index < 259 ? 0 : -Float(index)
            piece.type = index == 0 ? .unknown : index < 3 ? .control : index < 259 ? .byte : .normal
            model.proto.pieces.append(piece)
        }
        try writeFile(path, try model.serialized())
        return try Tokenizer(contentsOf: path)
    }

    /// Calls `body` with a directory that holds a model, old and new tokenizer and texts.
    private func withModel(tied: Bool, _ body: (String, Tokenizer, NamedText) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try makeTinyModel(in: directory + "/model")
            if tied {
                let path = directory + "/model/config.json"
                let text = String(decoding: try readFile(path), as: UTF8.self)
                try writeFile(path, text.replacingOccurrences(of: "false", with: "true").utf8)
                try tieHead(directory + "/model")
            }
            _ = try tokenizer([], at: directory + "/model/tokenizer.model")
            let larger = try tokenizer(["a", "b", "ab", "▁", "▁a", "人"], at: directory + "/tokenizer.model")
            try writeFile(directory + "/text.txt", "ab ba 人 abba\nba 人人\n".utf8)
            try body(directory, larger, NamedText(name: "text", paths: [directory + "/text.txt"]))
        }
    }

    /// Writes the model again without an LM head of its own.
    private func tieHead(_ directory: String) throws {
        let model = try Checkpoint(directory: directory)
        let plans = model.tensors.filter { $0.name != TensorNames.head }.map { TensorPlan($0) }
        var writer = try CheckpointWriter(directory + "-tied", tensors: plans, replacing: false)
        for tensor in writer.tensors { try model.withUnsafeBytes(of: tensor.name) { try writer.write(bytes: $0) } }
        try writer.finish(config: model.config.json)
        try FileManager.default.removeItem(atPath: directory)
        try FileManager.default.moveItem(atPath: directory + "-tied", toPath: directory)
    }

    /// Whose ids the model could not look up.
    @Test func tokenizerOfMoreEntriesThanRowsIsRefused() throws {
        try withModel(tied: false) { directory, larger, text in
            let model = directory + "/model"
            _ = try tokenizer(["a"], at: model + "/tokenizer.model")
            let resizer = try VocabularyResizer(Checkpoint(directory: model), to: larger, starts: RowStarts(.mean))
            let (old, new) = (
                try TrainingTokenizer(contentsOf: model),
                try TrainingTokenizer(contentsOf: directory + "/tokenizer.model")
            )
            let error = #expect(throws: TrainingDataError.self) {
                _ = try StartComparison(
                    resizer, old: old, new: new, texts: [text], blockSize: 16, batchSize: 2, threads: 1,
                    progress: { _ in })
            }
            #expect("\(error as Any)".contains("has 260 pieces, but \(model) has 259 embedding rows"))
        }
    }

    /// Rows in memory measure as those of a checkpoint that was resized with them, bit for bit, one start after another.
    @Test(arguments: [false, true])
    func measuresWhatTheResizedCheckpointDoes(tied: Bool) throws {
        try withModel(tied: tied) { directory, larger, text in
            let starts = [RowInitialization.subwordMean, .normal, .neighbours, .zero].flatMap { start in
                RowNorm.allCases.map { RowStarts(start, norm: $0, seed: 3, texts: text.paths) }
            }
            let checkpoint = try Checkpoint(directory: directory + "/model")
            let new = try TrainingTokenizer(contentsOf: directory + "/tokenizer.model")
            let comparison = try StartComparison(
                VocabularyResizer(checkpoint, to: larger, starts: starts[0]),
                old: TrainingTokenizer(contentsOf: directory + "/model"), new: new, texts: [text], blockSize: 16,
                batchSize: 2, threads: 1, progress: { _ in })
            for (number, starts) in starts.enumerated() {
                let out = "\(directory)/resized-\(number)"
                try VocabularyResizer(checkpoint, to: larger, starts: starts)
                    .write(to: out, tokenizerFiles: [], replacing: false)
                let expected = try ModelMeasurement(
                    model: out, adapter: nil, tokenizer: new, texts: [text], blockSize: 16, batchSize: 2, threads: 1
                ).evaluate { _ in }
                let found = try comparison.measure(starts) { _ in }
                #expect(found.evaluations == expected)
                #expect(found.bitsPerByte == expected[0].bitsPerByte)
            }
            let before = try ModelMeasurement(
                model: directory + "/model", adapter: nil,
                tokenizer: TrainingTokenizer(contentsOf: directory + "/model"), texts: [text], blockSize: 16,
                batchSize: 2, threads: 1
            ).evaluate { _ in }
            #expect(comparison.before == before)
        }
    }
}
