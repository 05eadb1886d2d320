import ArgumentParser
import FileIO
import Foundation
import OrderedJSON
import PieceModel
import TestSupport
import Testing
import UnicodeText
import VocabularyMerging

@testable import Commands

@Suite struct MergeCommandTests {
    /// Merges add.model into base.model, both of which are in a directory beside what `files` names.
    private func merge(
        _ arguments: [String], files: [String: String] = [:], base: [String] = ["a", "中", "文"],
        add: [String] = ["文", "中文", "文中", "ab"], _ check: (Ending, String) throws -> Void
    ) throws {
        guard let program else { return }
        try withTemporaryFiles(files) { directory in
            try writeModel(base, to: directory + "/base.model")
            try writeModel(add, to: directory + "/add.model")
            let models = ["--base", directory + "/base.model", "--add", directory + "/add.model"]
            let ending = try run(
                program,
                ["merge"] + models + ["--out", directory + "/out"]
                    + arguments.map { files[$0] == nil ? $0 : directory + "/" + $0 })
            try check(ending, directory)
        }
    }

    @Test(arguments: ["", "中文\n文\n"])
    func `a proof on nothing fails and leaves nothing`(text: String) throws {
        try merge(["--proof-corpus", "text.txt"], files: ["text.txt": text]) { ending, directory in
            #expect(ending.code == 65)
            #expect(ending.diagnostics.hasPrefix("kuoci: \(directory)/text.txt: no line is without the scripts "))
            #expect(!FileManager.default.fileExists(atPath: directory + "/out"))
        }
    }

    @Test func `without a proof it says what checks it, and with one what was found`() throws {
        try merge([]) { ending, _ in
            #expect(ending.code == 0, "\(ending.diagnostics)")
            #expect(
                ending.output.contains("other texts keep their ids by construction (--proof-corpus FILES checks it)\n"))
        }
        try merge(["--proof-corpus", "text.txt"], files: ["text.txt": "ab\n"]) { ending, _ in
            #expect(ending.code == 0 && ending.output.contains("other texts keep their ids\n"))
            #expect(ending.output.contains("0 of 1 texts without Han (of 1) get other ids than from the base"))
        }
    }

    @Test(arguments: [
        (["--size=-5"], "--size must be at least 1."), (["--size", "0"], "--size must be at least 1."),
        (["--pad-token", "de la"], "write a name as <...> or [...]"),
        (["--pad-token", "<>"], "write a name as <...> or [...]"),
        (["--cover", "utf-8"], "\"utf-8\" has no character of Han in one or two bytes"),
        (["--cover", "gb2312,ascii"], "\"ascii\" has no character of Han in one or two bytes"),
        (["--scripts", "Han, Klingon"], "\"Klingon\" is unknown"),
    ])
    func `what cannot be asked for is a matter of usage`(arguments: [String], message: String) throws {
        try merge(arguments) { ending, _ in
            #expect(ending.code == 64)
            #expect(ending.diagnostics.contains(message), "\(ending.diagnostics)")
        }
    }

    @Test func `lists may have spaces`() throws {
        let arguments = [
            "--base", "b", "--add", "a", "--out", "o", "--scripts", "Han, Kana", "--cover", "gb2312, big5",
        ]
        let command = try #require(Kuoci.parseAsRoot(["merge"] + arguments) as? MergeCommand)
        let options = try command.policy.harmlessOptions()
        #expect(options.scripts == [.han, .kana])
        #expect(options.characters.contains(0x56FD) && options.characters.contains(0x570B))
    }

    @Test func `a line too long for a word is named`() throws {
        let words = "中文\n" + String(repeating: "中", count: 65)
        try merge(["--words", "words.txt"], files: ["words.txt": words]) { ending, directory in
            #expect(ending.code == 65)
            #expect(
                ending.diagnostics.hasPrefix(
                    "kuoci: \(directory)/words.txt: line 2 has 65 characters, more than the 64 of a word; "))
        }
    }

    @Test(arguments: [["--prune"], ["--size", "261"]])
    func `texts without anything in them choose nothing`(arguments: [String]) throws {
        try merge(arguments + ["--corpus", "text.txt"], files: ["text.txt": "\n"]) { ending, directory in
            #expect(ending.code == 65)
            #expect(ending.diagnostics.hasPrefix("kuoci: \(directory)/text.txt: holds no text "))
            #expect(!FileManager.default.fileExists(atPath: directory + "/out"))
        }
    }

    @Test func `a merge that adds nothing says so and why`() throws {
        try merge([], add: ["文", "ab", "b"]) { ending, _ in
            #expect(ending.code == 0)
            #expect(
                ending.output.contains(
                    "nothing was added: of its pieces 1 are in the base already, 2 have no character of Han\n"))
            #expect(!ending.output.contains("each new piece is reached"))
        }
    }

    @Test func `pruning a padded merge says that its pad token goes, and keeps its row with --pad-token`() throws {
        guard let program else { return }
        try withTemporaryFiles(["text.txt": "中文\n"]) { directory in
            let (base, merged) = (directory + "/base.model", directory + "/merged.model")
            try writeModel(["中", "文"], to: base)
            try writeModel(["中", "文", "中文", "文中"], to: merged)
            let padded = try SentencePieceModel(contentsOf: merged).addingPadToken("<pad>").paddedToMultiple(of: 64)
            try writeFile(merged, padded.serialized())
            let command = [
                "merge", "--base", base, "--add", merged, "--prune", "--corpus", directory + "/text.txt", "--out",
            ]
            let without = try run(program, command + [directory + "/without"])
            #expect(without.code == 0, "\(without.diagnostics)")
            #expect(without.output.contains("<pad> of --add is left out; --pad-token '<pad>' keeps it\n"))
            #expect(try IDMap(contentsOf: directory + "/without/id-map.json").newIDs[259...261] == [259, nil, nil])
            let with = try run(program, command + [directory + "/with", "--pad-token", "<pad>"])
            #expect(with.code == 0 && !with.output.contains("left out;"))
            #expect(try IDMap(contentsOf: directory + "/with/id-map.json").newIDs[259...261] == [259, nil, 260])
        }
    }

    @Test func `a harmless merge whose tokenizer.json gives other ids warns of it`() throws {
        guard let program else { return }
        try withTemporaryFiles(["text.txt": "aba\nb\n"]) { directory in
            // ba and ab score alike, which tokenizer.json cannot say.
            var proto = Sentencepiece_ModelProto()
            proto.append("<unk>", 0, .unknown)
            proto.appendBytes()
            for (text, score) in [("a", -9), ("b", -9), ("ba", -1), ("ab", -1), ("中", -9)] as [(String, Float)] {
                proto.append(text, score)
            }
            proto.trainerSpec.modelType = .bpe
            proto.trainerSpec.byteFallback = true
            proto.normalizerSpec.addDummyPrefix = false
            proto.normalizerSpec.removeExtraWhitespaces = false
            try writeFile(directory + "/base.model", SentencePieceModel(proto: proto).serialized())
            try writeModel(["中中"], to: directory + "/add.model")
            let ending = try run(
                program,
                [
                    "merge", "--base", directory + "/base.model", "--add", directory + "/add.model", "--out",
                    directory + "/out", "--check-text", directory + "/text.txt",
                ])
            #expect(ending.code == 0)
            #expect(
                ending.diagnostics.contains(
                    "kuoci: \(directory)/out/tokenizer.json: gives other ids than tokenizer.model on 1 of 2 lines; "))
        }
    }
}
