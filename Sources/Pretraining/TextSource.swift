import FileIO
import Foundation
import OrderedJSON

/// Files of text with the hash of their content, read once for all uses.
package struct TextSource: Sendable {
    package struct File: Sendable, Equatable {
        package var path: String
        package var digest: String
    }

    package let files: [File]

    package init(_ paths: [String]) throws {
        files = try paths.map { File(path: $0, digest: try SHA256.hexDigest(ofFile: $0)) }
    }

    package var paths: [String] { files.map(\.path) }

    /// Names the ids of this text under a tokenizer: everything that they depend on.
    package func cacheKey(_ tokenizer: TrainingTokenizer) -> String {
        var parts = ["kuoci tokens 1", tokenizer.digest, "\(tokenizer.beginID ?? -1)", "\(tokenizer.endID)"]
        for file in files { parts += [isJSONLines(file.path) ? "jsonl" : "txt", file.digest] }
        return SHA256.hexDigest(of: parts)
    }

    /// The text as ids: from the cache in `directory`, or made and kept there.
    package func tokens(
        _ tokenizer: TrainingTokenizer, cacheDirectory: String, threads: Int, progress: (Int) -> Void
    ) throws -> TokenCache {
        let path = cacheDirectory + "/" + cacheKey(tokenizer).prefix(32) + ".tokens"
        if !FileManager.default.fileExists(atPath: path) {
            do {
                try FileManager.default.createDirectory(atPath: cacheDirectory, withIntermediateDirectories: true)
            } catch {
                throw FileError.unwritable(path: cacheDirectory, reason: error.localizedDescription)
            }
            var writer = try TokenCacheWriter(path, tokenizer: tokenizer, threads: threads)
            for file in files {
                try forEachDocument(of: file.path) { document in
                    try writer.append(document)
                    progress(writer.textBytes)
                }
            }
            _ = try writer.commit()
        }
        let cache = try TokenCache(path)
        if cache.counts.targets == 0 { throw TrainingDataError.noDocuments(paths: paths) }
        return cache
    }
}

extension SHA256 {
    /// The hash of a list of texts, none of which holds a line feed.
    fileprivate static func hexDigest(of parts: [String]) -> String {
        let hash = SHA256()
        for part in parts { hash.update(Array(part.utf8) + [0x0A]) }
        return hash.hexDigest()
    }
}

private func isJSONLines(_ path: String) -> Bool {
    [".jsonl", ".jsonl.gz", ".jsonl.zst"].contains { path.hasSuffix($0) }
}

/// Calls `body` with each document's bytes: a line of text, or the `text` of a line of JSON where the file's name
/// ends in .jsonl; both also packed by gzip or zstd.
///
/// A byte order mark and carriage returns before line feeds are no text.
package func forEachDocument(of path: String, _ body: ([UInt8]) throws -> Void) throws {
    let isJSON = isJSONLines(path)
    var number = 0
    try forEachLine(of: path) { line in
        number += 1
        var bytes = line[...]
        if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        if bytes.last == 0x0D { bytes = bytes.dropLast() }
        if !isJSON { return try body(Array(bytes)) }
        if bytes.isEmpty { return try body([]) }
        guard let text = try? JSONValue(parsing: bytes)["text"]?.string else {
            throw TrainingDataError.notJSONText(path: path, line: number)
        }
        try body(Array(text.utf8))
    }
}
