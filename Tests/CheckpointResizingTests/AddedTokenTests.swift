import Checkpoints
import FileIO
import OrderedJSON
import Safetensors
import TestSupport
import Testing
import VocabularyMerging

@testable import CheckpointResizing

/// Tokens that stand beside a tokenizer.model have rows like others.
struct AddedTokenTests {
    /// A model of 11 entries and 12 rows whose directory also holds a file of this name.
    private func withModel(_ name: String, _ content: String, _ body: (Checkpoint, String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old") { plans, config in
                plans[0].shape[0] = 12
                plans[plans.count - 1].shape[0] = 12
                config["vocab_size"] = 12
            }
            try writeFile("\(directory)/old/\(name)", content.utf8)
            try body(try Checkpoint(directory: directory + "/old"), directory)
        }
    }

    private func idMap(_ text: String, in directory: String) throws -> IDMap {
        try writeFile(directory + "/id-map.json", text.utf8)
        return try IDMap(contentsOf: directory + "/id-map.json")
    }

    @Test(arguments: [
        ("added_tokens.json", #"{"<pad>": 11}"#),
        ("tokenizer_config.json", #"{"added_tokens_decoder": {"11": {"content": "<pad>"}}}"#),
        ("tokenizer.json", #"{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 11, "content": "<pad>"}]}"#),
    ])
    func theRowOfOneIsNotGivenAway(_ name: String, _ content: String) throws {
        try withModel(name, content) { checkpoint, _ in
            let expected = ResizingError.addedToken(
                path: "\(checkpoint.directory)/\(name)", token: "<pad>", id: 11, tokenizer: "(in memory)")
            #expect(throws: expected) {
                _ = try VocabularyResizer(checkpoint, to: tokenizer(newPieces), starts: RowStarts(.mean))
            }
        }
    }

    @Test func theRowOfOneIsNotDroppedAsPadding() throws {
        try withModel("added_tokens.json", #"{"<pad>": 11}"#) { checkpoint, _ in
            #expect(throws: ResizingError.self) {
                _ = try VocabularyResizer(checkpoint, to: tokenizer(oldPieces), starts: RowStarts(.mean))
            }
        }
    }

    @Test func oneThatTheNewTokenizerHasInItsPlaceKeepsItsRow() throws {
        try withModel("added_tokens.json", #"{"<pad>": 11}"#) { checkpoint, directory in
            let asPiece = try VocabularyResizer(
                checkpoint, to: tokenizer(oldPieces + ["<pad>", "智能"]), starts: RowStarts(.mean))
            #expect(asPiece.rows.kept == [RowRun(old: 0..<12, new: 0)])
            #expect(asPiece.rows.fresh == [12..<13])
            #expect(asPiece.rows.reusedPadding == 0)
            let file = "\(checkpoint.directory)/added_tokens.json"
            let asAdded = try VocabularyResizer(
                checkpoint, to: tokenizer(oldPieces), files: [(file, "added_tokens.json")], multiple: 8,
                starts: RowStarts(.mean))
            #expect(asAdded.rows.kept == [RowRun(old: 0..<12, new: 0)])
            #expect((asAdded.rows.entries, asAdded.rows.newRows) == (12, 16))
        }
    }

    @Test func anIDMapSaysWhereTheRowOfOneGoes() throws {
        try withModel("added_tokens.json", #"{"<pad>": 11}"#) { checkpoint, directory in
            let places = "0,1,2,3,4,5,6,7,8,9,10"
            let whole = try idMap(
                #"{"old_entries": 12, "new_entries": 16, "new_ids": [\#(places), 15]}"#, in: directory)
            let resizer = try VocabularyResizer(
                checkpoint, to: tokenizer(newPieces), idMap: whole, starts: RowStarts(.mean))
            #expect(resizer.rows.kept == [RowRun(old: 0..<11, new: 0), RowRun(old: 11..<12, new: 15)])
            #expect(resizer.rows.fresh == [11..<15])
            let short = try idMap(#"{"old_entries": 11, "new_entries": 16, "new_ids": [\#(places)]}"#, in: directory)
            let error = #expect(throws: ResizingError.self) {
                _ = try VocabularyResizer(
                    checkpoint, to: tokenizer(newPieces), idMap: short, starts: RowStarts(.mean))
            }
            #expect("\(error as Any)".contains("row 11 is that of the added token \"<pad>\""))
        }
    }

    /// One that has no row in the old model has nothing to lose.
    @Test func oneWithoutARowIsPassedOver() throws {
        try withModel("added_tokens.json", #"{"<pad>": 12}"#) { checkpoint, _ in
            let resizer = try VocabularyResizer(checkpoint, to: tokenizer(newPieces), starts: RowStarts(.mean))
            #expect(resizer.rows.reusedPadding == 1)
        }
    }

    /// As rows of control pieces do, they start as the mean.
    @Test(arguments: [RowInitialization.subwordMean, .mean])
    func thoseBesideTheNewTokenizerGetRows(_ initialization: RowInitialization) throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old")
            try writeFile(directory + "/added.json", #"{"<pad>": 16, "<s>": 1}"#.utf8)
            let files = [(source: directory + "/added.json", name: "added_tokens.json")]
            let old = try Checkpoint(directory: directory + "/old")
            let resizer = try VocabularyResizer(
                old, to: tokenizer(newPieces), files: files, starts: RowStarts(initialization))
            try resizer.write(to: directory + "/new", tokenizerFiles: files, replacing: false)
            let new = try Checkpoint(directory: directory + "/new")
            #expect(try new.config.vocabularySize == 17)
            let (before, after) = (try old.floats(of: "lm_head.weight"), try new.floats(of: "lm_head.weight"))
            for column in 0..<6 {
                let sum = (0..<11).reduce(0.0) { $0 + Double(before[$1 * 6 + column]) }
                #expect(after[16 * 6 + column] == Float(sum / 11))
            }
        }
    }

    @Test func idsBeyondAllVocabulariesAreRefused() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old")
            try writeFile(directory + "/added.json", #"{"<pad>": 16777216}"#.utf8)
            let checkpoint = try Checkpoint(directory: directory + "/old")
            #expect(throws: CheckpointError.self) {
                _ = try VocabularyResizer(
                    checkpoint, to: tokenizer(newPieces), files: [(directory + "/added.json", "added_tokens.json")],
                    starts: RowStarts(.mean))
            }
        }
    }
}
