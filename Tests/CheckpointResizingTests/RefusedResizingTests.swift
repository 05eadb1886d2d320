import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import PieceModel
import Safetensors
import TestSupport
import Testing
import Tokenizers
import VocabularyMerging

@testable import CheckpointResizing

/// Checkpoints and tokenizers that do not fit together are refused in one sentence, before anything is written.
struct RefusedResizingTests {
    /// The error's case and message, or "taken".
    private func outcome(
        pieces: [String] = newPieces, tied: Bool = false, withTokenizer: Bool = true,
        _ initialization: RowInitialization = .mean,
        change: (inout [TensorPlan], inout JSONValue) -> Void = { _, _ in }
    ) throws -> String {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old", tied: tied, withTokenizer: withTokenizer, change: change)
            let checkpoint = try Checkpoint(directory: directory + "/old")
            do {
                let resizer = try VocabularyResizer(
                    checkpoint, to: try tokenizer(pieces), starts: RowStarts(initialization))
                try resizer.write(to: directory + "/new", tokenizerFiles: [], replacing: false)
                return "taken"
            } catch {
                let left = try entries(directory)
                #expect(left == ["old"])
                #expect(!"\(error)".contains("\n"))
                return "\(error)".replacingOccurrences(of: directory, with: "")
            }
        }
    }

    @Test func soundPairIsTaken() throws {
        #expect(try outcome() == "taken")
    }

    @Test func tokenizerOfTheSameSize() throws {
        #expect(try outcome(pieces: oldPieces).contains("has 11 entries, but /old already has 11 rows"))
    }

    @Test func tokenizerSmallerThanTheOldOne() throws {
        #expect(
            try outcome(pieces: Array(oldPieces.prefix(3))).contains("has 6 entries, fewer than the 11 of /old"))
    }

    @Test func anotherFamilyIsRefusedByName() throws {
        let text = try outcome(change: { $1["model_type"] = "qwen2" })
        #expect(
            text.hasPrefix(
                "/old/config.json: the key \"model_type\" should be \"llama\" or \"mistral\", not \"qwen2\""))
        #expect(try outcome(change: { $1["model_type"] = "mistral" }) == "taken")
    }

    @Test func tokenizerOfAnotherFamily() throws {
        let other = ["▁", "人", "OTHER"] + newPieces.dropFirst(3)
        #expect(try outcome(pieces: other).contains("entry 5 is \"OTHER\", but in the model's own tokenizer"))
    }

    @Test func vocabularySizeThatIsNotTheRows() throws {
        let text = try outcome(change: { $1["vocab_size"] = 12 })
        #expect(text.hasPrefix("/old/config.json: vocab_size is 12, but model.embed_tokens.weight has 11 rows"))
    }

    @Test func absentVocabularySize() throws {
        #expect(try outcome(change: { $1["vocab_size"] = nil }).contains("the key \"vocab_size\""))
    }

    @Test func headOfAnotherShape() throws {
        #expect(
            try outcome(change: { plans, _ in plans[plans.count - 1].shape = [10, 6] })
                .contains("lm_head.weight has shape [10, 6]"))
    }

    @Test func layerThatIsNotWhole() throws {
        let text = try outcome(change: { plans, _ in plans.removeAll { $0.name.hasSuffix("up_proj.weight") } })
        #expect(text.hasPrefix("/old: holds no tensor model.layers.0.mlp.up_proj.weight"))
    }

    @Test func sizesThatAreNotThoseOfTheTensors() throws {
        let width = try outcome(change: { $1["hidden_size"] = 12 })
        #expect(
            width.hasPrefix(
                "/old/model.safetensors: model.embed_tokens.weight has shape [11, 6], but config.json calls for [11, 12]"
            ))
        let inner = try outcome(change: { $1["intermediate_size"] = 7 })
        #expect(inner.contains("model.layers.0.mlp.gate_proj.weight has shape [5, 6]"))
        #expect(try outcome(change: { $1["num_attention_heads"] = nil }).contains("the key \"num_attention_heads\""))
        #expect(try outcome(change: { $1["num_hidden_layers"] = 2 }).contains("holds no tensor model.layers.1."))
    }

    /// Their names and shapes are those of the quantization.
    @Test func quantizedLayersAreNotLookedAt() throws {
        let text = try outcome(change: { plans, config in
            plans.removeAll { $0.name.hasSuffix("up_proj.weight") }
            config["quantization_config"] = ["bits": 4]
        })
        #expect(text == "taken")
    }

    @Test(arguments: [true, false])
    func matrixOfNoFloatsIsNamedWithItsFile(_ isHead: Bool) throws {
        let text = try outcome(change: { plans, _ in plans[isHead ? plans.count - 1 : 0].type = .uint8 })
        let name = isHead ? "lm_head.weight" : "model.embed_tokens.weight"
        #expect(text.hasPrefix("/old/model.safetensors: \(name) is of type U8, not F32"))
    }

    @Test func mapOfOtherTokenizersIsNamed() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old")
            let checkpoint = try Checkpoint(directory: directory + "/old")
            let (old, new) = (try tokenizer(oldPieces), try tokenizer(newPieces))
            func refused(_ map: IDMap) -> ResizingError? {
                #expect(throws: ResizingError.self) {
                    _ = try VocabularyResizer(
                        checkpoint, to: new, idMap: map, idMapPath: "dir/m.json", starts: RowStarts(.mean))
                }
            }
            #expect(
                refused(IDMap(from: old.model, to: old.model))
                    == .mapDisagrees(map: "dir/m.json", side: "new", mapped: 11, found: 16, path: "(in memory)"))
            #expect(
                refused(IDMap(from: new.model, to: new.model))
                    == .mapDisagrees(map: "dir/m.json", side: "old", mapped: 16, found: 11, path: directory + "/old"))
        }
    }

    /// What a kuoci.json says of an earlier resize is of use where no entry is new; a broken one says nothing.
    @Test func brokenManifestIsAsGoodAsNone() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old")
            try writeFile(directory + "/old/kuoci.json", "{".utf8)
            let resizer = try VocabularyResizer(
                try Checkpoint(directory: directory + "/old"), to: try tokenizer(oldPieces), multiple: 8,
                starts: RowStarts(.mean))
            #expect(try resizer.firstNewRow() == nil)
        }
    }

    @Test func noHeadAndNotTied() throws {
        #expect(try outcome(tied: true, change: { $1["tie_word_embeddings"] = false }).contains("no lm_head.weight"))
    }

    @Test func tiedButTwoDifferentTensors() throws {
        #expect(try outcome(change: { $1["tie_word_embeddings"] = true }).contains("differs from"))
    }

    @Test func subwordMeanWithoutTheOldTokenizer() throws {
        #expect(try outcome(withTokenizer: false, .subwordMean).hasPrefix("/old: has no tokenizer.model"))
        #expect(try outcome(withTokenizer: false, .mean) == "taken")
    }

    @Test func noEmbedding() throws {
        let text = try outcome(change: { plans, _ in plans[0].name = "transformer.wte.weight" })
        #expect(text.contains("holds no tensor model.embed_tokens.weight"))
    }

    @Test func embeddingThatIsNoMatrix() throws {
        #expect(try outcome(change: { plans, _ in plans[0].shape = [66] }).contains("should be a matrix"))
    }

    @Test(arguments: [nil, "/no/such", ""])
    func pathThatHoldsNoTokenizer(_ path: String?) throws {
        try withTemporaryDirectory { directory in
            let path = path ?? directory
            #expect(throws: ResizingError.noTokenizer(path: path)) { _ = try tokenizerFiles(at: path) }
        } as Void
    }

    @Test func nanInTheOldRows() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old")
            let path = directory + "/old/model.safetensors"
            let checkpoint = try Checkpoint(directory: directory + "/old")
            let place = try #require(checkpoint["lm_head.weight"]).byteRange.lowerBound
            var bytes = try readFile(path)
            bytes.replaceSubrange(place..<place + 4, with: TensorType.float32.bytes([.nan]))
            try writeFile(path, bytes)
            let resizer = try VocabularyResizer(
                try Checkpoint(directory: directory + "/old"), to: try tokenizer(newPieces), starts: RowStarts(.mean))
            #expect(throws: ResizingError.notFinite(path: path, tensor: "lm_head.weight")) {
                try resizer.write(to: directory + "/new", tokenizerFiles: [], replacing: false)
            }
            let left = try entries(directory)
            #expect(left == ["old"])
        }
    }

    @Test func existingOutputStays() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old")
            try writeFile(directory + "/new", "mine".utf8)
            let resizer = try VocabularyResizer(
                try Checkpoint(directory: directory + "/old"), to: try tokenizer(newPieces), starts: RowStarts(.mean))
            #expect(throws: FileError.alreadyExists(path: directory + "/new")) {
                try resizer.write(to: directory + "/new", tokenizerFiles: [], replacing: false)
            }
            let text = try readFile(directory + "/new")
            #expect(text == Array("mine".utf8))
        }
    }

    /// The check before the name is given sees one changed bit.
    @Test func verificationSeesAChangedBit() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old")
            let resizer = try VocabularyResizer(
                try Checkpoint(directory: directory + "/old"), to: try tokenizer(newPieces), starts: RowStarts(.mean))
            try resizer.write(to: directory + "/new", tokenizerFiles: [], replacing: false)
            try resizer.verify(try Checkpoint(directory: directory + "/new"), progress: { _ in })
            let path = directory + "/new/model.safetensors"
            let head = try #require(SafetensorsFile(path)["lm_head.weight"])
            var bytes = try readFile(path)
            // The last byte of the last old row.
            bytes[head.byteRange.lowerBound + 11 * 6 * 4 - 1] ^= 1
            try writeFile(path, bytes)
            #expect(throws: CheckpointError.notAsWritten(path: directory + "/new", tensor: head.name)) {
                try resizer.verify(try Checkpoint(directory: directory + "/new"), progress: { _ in })
            }
        }
    }
}
