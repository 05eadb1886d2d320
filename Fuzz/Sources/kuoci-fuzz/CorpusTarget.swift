import FileIO
import Foundation

@testable import Corpora

private let directory: String = {
    let path = NSTemporaryDirectory() + "/kuoci-fuzz-\(getpid())"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}()

/// The corpus readers; the first byte chooses one.
func fuzzCorpus(_ bytes: UnsafeRawBufferPointer) {
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    switch first % 8 {
    case 0: _ = paragraphs(ofHTML: rest).map { cleanedParagraphs(of: $0) }
    case 1: _ = paragraphs(ofManualPage: rest).map { cleanedParagraphs(of: $0) }
    case 2: _ = paragraphs(ofFortunes: rest).map { cleanedParagraphs(of: $0) }
    case 3: _ = paragraphs(ofPlainText: rest).map { cleanedParagraphs(of: $0) }
    case 4: read(rest, as: "a.txt", .lines)
    case 5: read(rest, as: "a.jsonl", .jsonLines)
    case 6: read(rest, as: "a.txt.gz", .paragraphs)
    default: read(rest, as: "a.jsonl.zst", .jsonLines)
    }
}

private func read(_ bytes: [UInt8], as name: String, _ format: DocumentFormat) {
    let path = directory + "/" + name
    FileManager.default.createFile(atPath: path, contents: Data(bytes))
    do {
        var reader = try DocumentReader(path, format: format)
        while let document = try reader.next() {
            guard !document.isEmpty, String(validating: document, as: UTF8.self) != nil else {
                fatalError("a document is empty or not UTF-8")
            }
        }
    } catch {
        checkMessage(error)
    }
}
