import FileIO
import Foundation
import TestSupport
import Testing

@testable import Pretraining

struct ModelMeasurementTests {
    private func texts(_ names: [String], in directory: String) -> [NamedText] {
        names.map { NamedText(name: $0, paths: ["\(directory)/\($0)"]) }
    }

    @Test func filesOfTokensGoWithTheTextsAndWithAnError() throws {
        try withTemporaryFiles(["text.txt": "ab\nba\n"]) { directory in
            let place = directory + "/scratch"
            func files() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] }
            func measured(_ names: [String]) throws -> MeasuredTexts {
                try MeasuredTexts(
                    texts(names, in: directory), .lines, tokenizer: byteTokenizer, rows: 259, blockSize: 8,
                    batchSize: 1, threads: 1, in: place)
            }
            do {
                let texts = try measured(["text.txt"])
                #expect(!files().isEmpty)
                #expect(try texts.firstBlock?.blockSize == 8)
                withExtendedLifetime(texts) {}
            }
            #expect(files() == [])
            #expect(throws: FileError.self) { try measured(["text.txt", "none.txt"]) }
            #expect(files() == [])
        }
    }

    @Test(arguments: [(0, 1, 1), (1 << 20 + 1, 1, 1), (1, 0, 1), (1, -1, 1), (1, 1, 0), (1, 1, 1025), (1, 1, .max)])
    func sizesThatCannotBeAreRefused(blockSize: Int, batchSize: Int, threads: Int) throws {
        #expect(throws: PretrainingError.self) {
            try checkSizes(blockSize: blockSize, batchSize: batchSize, threads: threads)
        }
        try checkSizes(blockSize: 1 << 20, batchSize: 1 << 20, threads: 1024)
    }

    @Test(arguments: [0.3, .nan] as [Float])
    func aLossThatIsNoNumberNamesModelAndText(scale: Float) throws {
        try withTemporaryFiles(["text.txt": "ab\nba\n", "other.txt": "b\n"]) { directory in
            let model = directory + "/model"
            try makeTinyModel(in: model, scale: scale)
            let measurement = try ModelMeasurement(
                model: model, adapter: nil, tokenizer: byteTokenizer,
                texts: texts(["text.txt", "other.txt"], in: directory), blockSize: 8, batchSize: 2, threads: 1)
            #expect(measurement.positionLimit == 64)
            let results = try measurement.evaluate { _ in }
            #expect(results.map(\.name) == ["text.txt", "other.txt"])
            if scale.isNaN {
                #expect(throws: EvaluationError.notFinite(model: model, text: "text.txt")) {
                    try results.checkFinite(model: model)
                }
            } else {
                try results.checkFinite(model: model)
            }
        }
    }
}
