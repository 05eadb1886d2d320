import FileIO
import Foundation
import OrderedJSON
import TestSupport
import Testing

@testable import Pretraining

@Suite struct CheckpointStoreTests {
    private func save(_ store: CheckpointStore, step: Int) throws -> String {
        var position = RunPosition()
        position.step = step
        position.logBytes = 10 * step
        return try store.save(position, bytes: 0) { try writeFile($0 + "/weights.safetensors", "weights \(step)".utf8) }
    }

    @Test func theNewestTwoAreKeptAndTheNewestIsFound() throws {
        try withTemporaryDirectory { directory in
            let store = CheckpointStore(directory)
            for step in [5, 10, 15] { _ = try save(store, step: step) }
            #expect(store.steps() == [10, 15])
            let found = try store.newest { Issue.record("\($0)") }
            #expect(found?.path == directory + "/step-000015")
            #expect(found?.position.logBytes == 150)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 2)
        }
    }

    @Test(arguments: ["changed", "cut", "missing", "no manifest", "half a manifest"])
    func aDamagedOneIsNamedAndTheOneBeforeTaken(damage: String) throws {
        try withTemporaryDirectory { directory in
            let store = CheckpointStore(directory)
            _ = try save(store, step: 5)
            let newest = try save(store, step: 10)
            let weights = newest + "/weights.safetensors"
            switch damage {
            case "changed": try writeFile(weights, "weights 11".utf8)
            case "cut": try writeFile(weights, "weights".utf8)
            case "missing": try FileManager.default.removeItem(atPath: weights)
            case "no manifest": try FileManager.default.removeItem(atPath: newest + "/manifest.json")
            default: try writeFile(newest + "/manifest.json", try readFile(newest + "/manifest.json").prefix(40))
            }
            var skipped: [TrainingDataError] = []
            let found = try store.newest { skipped.append($0) }
            #expect(found?.position.step == 5)
            #expect(skipped.count == 1)
            #expect(skipped.first?.description.hasPrefix(newest + ":") == true)
        }
    }

    @Test func whereAllAreDamagedNoneIsTakenForTheBeginning() throws {
        try withTemporaryDirectory { directory in
            let store = CheckpointStore(directory)
            for step in [5, 10] {
                try writeFile(save(store, step: step) + "/weights.safetensors", "changed".utf8)
            }
            let error = #expect(throws: TrainingDataError.self) {
                try store.newest { Issue.record("\($0) was passed over, for nothing") }
            }
            let text = "\(error as Any)"
            for name in ["step-000005", "step-000010"] { #expect(text.contains(directory + "/" + name)) }
            #expect(store.steps() == [5, 10])
        }
    }

    @Test func leftoversOfAKilledRunAreNotCheckpoints() throws {
        try withTemporaryDirectory { directory in
            let store = CheckpointStore(directory)
            for name in [".step-000005.tmp-1", ".trash-3"] {
                try FileManager.default.createDirectory(
                    atPath: directory + "/" + name, withIntermediateDirectories: false)
            }
            #expect(store.steps() == [])
            #expect(try store.newest { _ in } == nil)
        }
    }

    @Test func withoutRoomNothingIsBegun() throws {
        try withTemporaryDirectory { directory in
            _ = try save(CheckpointStore(directory), step: 5)
            let full = CheckpointStore(directory) { _ in 3_000_000 }
            var position = RunPosition()
            position.step = 10
            let error = PretrainingError.noRoom(
                path: directory, what: "the state of step 10", bytes: 2_500_000, free: 3_000_000,
                newest: directory + "/step-000005")
            #expect(throws: error) {
                try full.save(position, bytes: 2_500_000) { _ in Issue.record("something was written") }
            }
            _ = try full.save(position, bytes: 1_900_000) { _ in }
            #expect(full.steps() == [5, 10])
        }
    }
}

@Suite struct RunDirectoryTests {
    private let description: JSONValue = ["options": ["seed": "1", "clip": 1.0], "text": ["abc"]]

    @Test func anOlderRunIsNeitherTouchedNorMixed() throws {
        try withTemporaryDirectory { directory in
            let run = directory + "/run"
            _ = try RunDirectory(run, description: description, resume: false, force: false)
            try writeFile(run + "/log.jsonl", "{}\n".utf8)
            #expect(throws: FileError.alreadyExists(path: run)) {
                try RunDirectory(run, description: description, resume: false, force: false)
            }
            _ = try RunDirectory(run, description: description, resume: false, force: true)
            #expect(!FileManager.default.fileExists(atPath: run + "/log.jsonl"))
        }
    }

    @Test func aChangeIsNamed() throws {
        try withTemporaryDirectory { directory in
            _ = try RunDirectory(directory, description: description, resume: false, force: false)
            let changed: JSONValue = ["options": ["seed": "2", "clip": 1.0], "text": ["abd"]]
            let expected = [#"options.seed was "1", is "2""#, #"text[0] was "abc", is "abd""#]
            #expect(throws: PretrainingError.resumeDiffers(run: directory, differences: expected)) {
                try RunDirectory(directory, description: changed, resume: true, force: false)
            }
            #expect(try RunDirectory(directory, description: description, resume: true, force: false).isResumed)
        }
    }

    @Test func aChangedTextIsNamedByItsFile() throws {
        try withTemporaryDirectory { directory in
            _ = try RunDirectory(directory, description: description, resume: false, force: false)
            let changed: JSONValue = ["options": ["seed": "1", "clip": 1.0], "text": ["abd"]]
            let expected = [#"text[0] was "abc", is "abd", which is that of zh.txt"#]
            #expect(throws: PretrainingError.resumeDiffers(run: directory, differences: expected)) {
                try RunDirectory(
                    directory, description: changed, contents: [("abc", "en.txt"), ("abd", "zh.txt")], resume: true,
                    force: false)
            }
        }
    }

    @Test(arguments: ["model", "1-embeddings/model", "checkpoints/step-000002"])
    func whatIsReadIsNeverClearedAway(input: String) throws {
        try withTemporaryDirectory { directory in
            let run = directory + "/run"
            let path = run + "/" + input
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try writeFile(path + "/config.json", "{}".utf8)
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: path)
            for name in [path, directory + "/link"] {
                let error = PretrainingError.badOption(
                    name: "--out", value: run, need: "holds \(name), which is read; choose another --out")
                #expect(throws: error) {
                    try RunDirectory(run, description: description, inputs: [name], resume: false, force: true)
                }
            }
            #expect(throws: FileError.alreadyExists(path: run)) {
                try RunDirectory(run, description: description, inputs: [path], resume: false, force: false)
            }
            #expect(try readFile(path + "/config.json") == Array("{}".utf8))
        }
    }

    @Test(arguments: ["checkpoints", "model", "adapter", "1-embeddings"])
    func whatNoRunWroteIsNotClearedAway(name: String) throws {
        try withTemporaryDirectory { directory in
            let file = directory + "/" + name + "/mine.txt"
            try FileManager.default.createDirectory(
                atPath: directory + "/" + name, withIntermediateDirectories: true)
            try writeFile(file, "mine".utf8)
            #expect(throws: FileError.notAnOutput(path: directory, mark: "run.json")) {
                try RunDirectory(directory, description: description, resume: false, force: true)
            }
            #expect(try readFile(file) == Array("mine".utf8))
            // What a killed run left has its lock.
            try writeFile(directory + "/.lock", [])
            _ = try RunDirectory(directory, description: description, resume: false, force: true)
            #expect(!FileManager.default.fileExists(atPath: file))
        }
    }

    @Test(arguments: ["checkpoints/step-000002", "model", "2-lora", "tensorboard"])
    func aRunThatLostItsDescriptionIsNotTakenForNone(left: String) throws {
        try withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(
                atPath: directory + "/" + left, withIntermediateDirectories: true)
            let error = #expect(throws: TrainingDataError.self) {
                try RunDirectory(directory, description: description, resume: true, force: false)
            }
            #expect("\(error as Any)".contains("but no run.json"))
            #expect(FileManager.default.fileExists(atPath: directory + "/" + left))
            let anew = try RunDirectory(directory, description: description, resume: false, force: true)
            #expect(!anew.isResumed)
            #expect(!FileManager.default.fileExists(atPath: directory + "/" + left))
        }
    }

    @Test func aRunThatWasKilledBeforeItsDescriptionStartsAnew() throws {
        try withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(
                atPath: directory + "/checkpoints", withIntermediateDirectories: true)
            #expect(try !RunDirectory(directory, description: description, resume: true, force: false).isResumed)
        }
    }

    @Test func whatIsGivenUpLeavesOnlyWhatWasThere() throws {
        try withTemporaryDirectory { directory in
            let run = directory + "/run"
            try RunDirectory(run, description: description, resume: false, force: false).abandon()
            #expect(!FileManager.default.fileExists(atPath: run))
            // Caches of texts serve the next one.
            try FileManager.default.createDirectory(atPath: run + "/tokens", withIntermediateDirectories: true)
            try writeFile(run + "/tokens/a.tokens", [])
            try RunDirectory(run, description: description, resume: false, force: false).abandon()
            #expect(try readFile(run + "/tokens/a.tokens").isEmpty)
            #expect(!FileManager.default.fileExists(atPath: run + "/run.json"))
            // A run that was there before stays.
            _ = try RunDirectory(run, description: description, resume: false, force: false)
            try RunDirectory(run, description: description, resume: true, force: false).abandon()
            #expect(FileManager.default.fileExists(atPath: run + "/run.json"))
        }
    }

    @Test func aFileInPlaceOfTheDirectoryIsNamed() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/text.txt"
            try writeFile(path, "a".utf8)
            #expect(
                throws: FileError.unwritable(path: path, reason: "it is a file where a directory is needed")
            ) { try RunDirectory(path, description: description, resume: false, force: true) }
            #expect(try readFile(path) == Array("a".utf8))
        }
    }

    @Test func whatAKilledRunLeftHalfDoneIsRemoved() throws {
        try withTemporaryDirectory { directory in
            let leftovers = [
                ".model.tmp-7", ".model.tmp-7.old", "checkpoints/.step-000005.tmp-7", "checkpoints/.trash-3",
            ]
            for name in leftovers + [".notes", "checkpoints/step-000002"] {
                try FileManager.default.createDirectory(
                    atPath: directory + "/" + name, withIntermediateDirectories: true)
            }
            try writeFile(directory + "/run.json", description.utf8(.pretty))
            _ = try RunDirectory(directory, description: description, resume: true, force: false)
            let left = try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
            #expect(left == [".lock", ".notes", "checkpoints", "checkpoints/step-000002", "run.json"])
        }
    }

    @Test func twoRunsCannotShareADirectory() throws {
        try withTemporaryDirectory { directory in
            let first = try RunDirectory(directory, description: description, resume: false, force: false)
            #expect(throws: PretrainingError.inUse(run: directory)) {
                try RunDirectory(directory, description: description, resume: true, force: false)
            }
            _ = consume first
        }
    }
}

@Suite struct TrainingLogTests {
    @Test func isCutBackToTheCheckpointAndNeverHoldsNaN() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/log.jsonl"
            let log = try TrainingLog(path, length: 0)
            try log.append(["loss": .double(1.5)])
            let length = log.length
            try log.append(["loss": .double(.nan)])
            #expect(try readFile(path) == Array("{\"loss\":1.5}\n{\"loss\":null}\n".utf8))
            let resumed = try TrainingLog(path, length: length)
            try resumed.append(["step": 2])
            #expect(try readFile(path) == Array("{\"loss\":1.5}\n{\"step\":2}\n".utf8))
            #expect(throws: TrainingDataError.self) { try TrainingLog(path, length: 1000) }
        }
    }

    @Test func isCutBackToAStepWhereNobodyKnowsItsLength() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/timing.jsonl"
            try writeFile(path, "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"st".utf8)
            #expect(try TrainingLog(path, throughStep: 2).length == 22)
            #expect(try readFile(path) == Array("{\"step\":1}\n{\"step\":2}\n".utf8))
            #expect(try TrainingLog(directory + "/none.jsonl", throughStep: 2).length == 0)
        }
    }

    @Test func aLogThatWasRemovedOrMovedIsNotWrittenOn() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/log.jsonl"
            let log = try TrainingLog(path, length: 0)
            try log.append(["step": 1])
            try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
            let error = FileError.unwritable(
                path: path, reason: "it was removed or moved while it was being written")
            #expect(throws: error) { try log.append(["step": 2]) }
            try writeFile(path, [])
            #expect(throws: error) { try log.append(["step": 2]) }
            #expect(try readFile(path).isEmpty)
        }
    }
}
