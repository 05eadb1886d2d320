import FileIO
import PieceModel
import TestSupport
import Testing
import TokenizerFormats
import Tokenizers

@testable import VocabularyLint

@Suite struct FormatAgreementTests {
    /// ba and ab score alike: SentencePiece takes the leftmost, tokenizer.json has to rank one above the other.
    private let tied: [(String, Float)] = [("▁", -9), ("a", -9), ("b", -9), ("ba", -1), ("ab", -1)]

    private func agreements(_ pieces: [(String, Float)], corpus: String) throws -> [FormatAgreement] {
        try withTemporaryDirectory { directory in
            try TokenizerDirectory(tokenizer(pieces)).write(to: directory)
            try writeFile(directory + "/corpus.txt", Array(corpus.utf8))
            let model = try TokenizerFile(contentsOf: directory)
            return try LintReport(
                model.tokenizer, corpus: [directory + "/corpus.txt"], directory: directory
            ).agreements
        }
    }

    @Test func `lines with other ids are counted`() throws {
        let found = try agreements(tied, corpus: "aba\nbab\nb\n")
        #expect(found.map(\.lines) == [3])
        #expect(found.map(\.differing) == [1])
    }

    @Test func `scores without ties agree`() throws {
        let untied = tied.enumerated().map { ($1.0, -Float($0)) }
        #expect(try agreements(untied, corpus: "aba\nbab\nb\n").map(\.differing) == [0])
    }

    @Test func `files that are named are compared after those of the directory, and none twice`() throws {
        try withTemporaryDirectory { directory in
            let (model, other) = (try tokenizer(tied, withBytes: true), try tokenizer(tied.dropLast(), withBytes: true))
            try writeFile(directory + "/tokenizer.model", model.model.serialized())
            try writeFile(directory + "/beside.gguf", GGUFVocabulary.utf8(model, name: "beside"))
            try writeFile(directory + "/other.model", other.model.serialized())
            try writeFile(directory + "/other.json", TokenizerJSON(other).utf8())
            try writeFile(directory + "/corpus.txt", Array("ab\nb\n".utf8))
            let paths = ["other.json", "beside.gguf", "other.model"].map { directory + "/" + $0 }
            let report = try LintReport(
                Tokenizer(contentsOf: directory + "/tokenizer.model"), corpus: [directory + "/corpus.txt"],
                directory: directory, comparedWith: paths)
            #expect(report.agreements.map(\.path) == [paths[1], paths[0], paths[2]])
            #expect(report.agreements.map(\.differing) == [0, 1, 1])
            #expect(
                try LintReport(
                    Tokenizer(contentsOf: directory + "/tokenizer.model"), corpus: [directory + "/corpus.txt"],
                    comparedWith: [paths[1]]
                ).agreements.map(\.differing) == [0])
        }
    }

    @Test func `a GGUF file of another vocabulary disagrees`() throws {
        try withTemporaryDirectory { directory in
            let (model, other) = (try tokenizer(tied, withBytes: true), try tokenizer(tied.dropLast(), withBytes: true))
            try writeFile(directory + "/tokenizer.model", model.model.serialized())
            try writeFile(directory + "/corpus.txt", Array("ab\nb\n".utf8))
            try writeFile(directory + "/same.gguf", GGUFVocabulary.utf8(model, name: "same"))
            try writeFile(directory + "/other.gguf", GGUFVocabulary.utf8(other, name: "other"))
            let report = try LintReport(
                Tokenizer(contentsOf: directory + "/tokenizer.model"), corpus: [directory + "/corpus.txt"],
                directory: directory)
            #expect(report.agreements.map(\.path) == ["other.gguf", "same.gguf"].map { directory + "/" + $0 })
            #expect(report.agreements.map(\.differing) == [1, 0])
            #expect(report.hasErrors)
        }
    }
}
