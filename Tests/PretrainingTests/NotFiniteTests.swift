import FileIO
import Foundation
import Safetensors
import Synchronization
import TestSupport
import Testing

@testable import Pretraining

@Suite struct NotFiniteTests {
    @Test func onlyTheDocumentWhosePieceHasABadRowIsNamed() throws {
        try withTemporaryDirectory { directory in
            try makeTinyModel(in: directory + "/model")
            // Only this document has a capital; its embedding is no number.
            let documents = (0..<30).map { $0 == 17 ? "only here: Q" : "document \($0)" }
            try writeFile(directory + "/text.txt", (["", ""] + documents).joined(separator: "\n").utf8)
            try poison(directory + "/model/model.safetensors", row: Int(UInt8(ascii: "Q")) + 3)
            var options = PretrainingOptions(
                model: directory + "/model", text: [directory + "/text.txt"], stage: .lora, out: directory + "/run",
                length: .epochs(1), threads: 1)
            options.batchSize = 4
            options.blockSize = 13
            options.saveEvery = 1
            let run = try PretrainingRun(options, tokenizer: byteTokenizer, resume: false, force: false)
            let error = try #require(throws: PretrainingError.self) { try run.run() }
            guard case .notFinite("loss", let step, _, let named, let last, _) = error else {
                Issue.record("\(error)")
                return
            }
            let expected = DocumentPlace(path: directory + "/text.txt", number: 18, start: "only here: Q")
            #expect(named.contains(expected))
            #expect(named.count <= 2)
            #expect((last == nil) == (step == 1))
            let log = String(decoding: try readFile(directory + "/run/log.jsonl"), as: UTF8.self)
            #expect(log.contains(#""starts":"only here: Q""#))
        }
    }

    @Test func aRateThatRuinsTheWeightsEndsTheRunAndTheLastStateStands() throws {
        try withTemporaryDirectory { directory in
            try makeTinyModel(in: directory + "/model")
            try writeFile(directory + "/text.txt", sampleDocuments(40).joined(separator: "\n").utf8)
            var options = PretrainingOptions(
                model: directory + "/model", text: [directory + "/text.txt"], stage: .full, out: directory + "/run",
                length: .steps(6), threads: 1)
            options.heldOut = [NamedText(name: "same", paths: [directory + "/text.txt"])]
            options.evaluateEvery = 2
            options.saveEvery = 1
            options.blockSize = 16
            // Together they multiply every matrix by -1e18.
            options.learningRate = 1000
            options.weightDecay = 1e15
            let run = try PretrainingRun(options, tokenizer: byteTokenizer, resume: false, force: false)
            let error = try #require(throws: PretrainingError.self) { try run.run() }
            guard case .notFinite(_, _, _, _, let last, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(last == directory + "/run/checkpoints/step-000001")
            #expect(!FileManager.default.fileExists(atPath: directory + "/run/model"))
            #expect(!FileManager.default.fileExists(atPath: directory + "/run/kuoci.json"))
        }
    }

    @Test(arguments: [0, 1, 2])
    func weightsThatAreNoNumbersAreNeitherSavedNorAResult(saveEvery: Int) throws {
        try withTemporaryDirectory { directory in
            try makeTinyModel(in: directory + "/model")
            try writeFile(directory + "/text.txt", sampleDocuments(40).joined(separator: "\n").utf8)
            var options = PretrainingOptions(
                model: directory + "/model", text: [directory + "/text.txt"], stage: .full, out: directory + "/run",
                length: .steps(1), threads: 1)
            options.saveEvery = saveEvery
            options.blockSize = 16
            // Together they multiply every matrix by more than float32 can hold.
            options.learningRate = 1000
            options.weightDecay = 1e37
            let run = try PretrainingRun(options, tokenizer: byteTokenizer, resume: false, force: false)
            let error = try #require(throws: PretrainingError.self) { try run.run() }
            guard case .notFiniteWeights(_, 1, options.out, nil) = error else {
                Issue.record("\(error)")
                return
            }
            for name in ["model", "kuoci.json", "checkpoints/step-000001"] {
                #expect(!FileManager.default.fileExists(atPath: options.out + "/" + name))
            }
            let log = String(decoding: try readFile(options.out + "/log.jsonl"), as: UTF8.self)
            #expect(log.contains(#""event":"not_finite","step":1"#))
        }
    }

    @Test func theModelsOwnInfinityIsNoReasonToKeepNothing() throws {
        try withTemporaryDirectory { directory in
            try makeTinyModel(in: directory + "/model")
            try writeFile(directory + "/text.txt", sampleDocuments(40).joined(separator: "\n").utf8)
            // The row of a capital, of which the text has none.
            try poison(directory + "/model/model.safetensors", row: Int(UInt8(ascii: "Q")) + 3)
            var options = PretrainingOptions(
                model: directory + "/model", text: [directory + "/text.txt"], stage: .embeddings,
                out: directory + "/run", length: .steps(2), threads: 1)
            options.trainRows = .all
            options.blockSize = 16
            options.saveEvery = 1
            let notes = Mutex<[String]>([])
            let run = try PretrainingRun(
                options, tokenizer: byteTokenizer, resume: false, force: false,
                observer: RunObserver(note: { line in notes.withLock { $0.append(line) } }))
            _ = try run.run()
            #expect(notes.withLock { $0.contains { $0.contains("model.embed_tokens.weight holds numbers that") } })
            #expect(FileManager.default.fileExists(atPath: options.out + "/model/model.safetensors"))
        }
    }

    @Test func theReplayIsTheCommandWithResumeQuotedForAShell() {
        let command = ["kuoci", "pretrain", "--out", "a b", "--text", "it's.txt", "--force", ""]
        #expect(
            PretrainingRun.replayCommand(command, run: "a b")
                == #"kuoci pretrain --out 'a b' --text 'it'\''s.txt' '' --resume --record-batches 'a b/replay'"#)
    }

    @Test func aStartIsNotCutInsideACharacter() {
        let text = String(repeating: "中", count: 40)
        let place = DocumentPlace(Array(text.utf8), path: "x", number: 1)
        #expect(text.hasPrefix(place.start))
        #expect(place.start.utf8.count == 48)
        #expect(DocumentPlace(Array(("a" + text).utf8), path: "x", number: 1).start.utf8.count == 46)
    }
}

/// Overwrites a row of the embedding by NaN; the file has one for each of 259 ids, 16 wide.
private func poison(_ path: String, row: Int) throws {
    let file = try #require(try SafetensorsFile(path)["model.embed_tokens.weight"])
    var bytes = try readFile(path)
    let start = file.byteRange.lowerBound + row * 16 * 4
    for place in stride(from: start, to: start + 64, by: 4) {
        bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0xC0, 0x7F])
    }
    try writeFile(path, bytes)
}
