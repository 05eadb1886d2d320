package import Corpora
import FileIO

/// How a text that is not JSON lines is divided into documents.
public enum TextDivision: String, Sendable, CaseIterable {
    /// Each line is a document.
    case lines
    /// Blank lines stand between documents.
    case paragraphs
}

/// Files of text with the hash of their content, read once for all uses.
package struct TextSource: Sendable {
    package struct File: Sendable, Equatable {
        package let path: String
        package let digest: String
        package let format: DocumentFormat
        /// Of the file that `digest` was computed from.
        private let identity: FileIdentity

        init(_ path: String, _ division: TextDivision) throws {
            let endings = [".json", ".json.gz", ".json.zst"]
            if endings.contains(where: { path.hasSuffix($0) }) { throw TrainingDataError.wholeJSON(path: path) }
            self.path = path
            format = DocumentFormat(path: path, division)
            identity = try FileIdentity(path)
            digest = try SHA256.hexDigest(ofFile: path)
        }

        /// - Throws: `TrainingDataError.changedText` if somebody wrote to the file since it was hashed.
        func checkUnchanged() throws {
            guard try FileIdentity(path) == identity else { throw TrainingDataError.changedText(path: path) }
        }
    }

    package let files: [File]

    package init(_ paths: [String], _ division: TextDivision = .lines) throws {
        files = try paths.map { try File($0, division) }
    }

    package var paths: [String] { files.map(\.path) }

    /// Names the ids of this text under a tokenizer: everything that they depend on.
    ///
    /// The size of a block is no part of it: a cache holds documents, and they are cut when a block is read.
    package func cacheKey(_ tokenizer: TrainingTokenizer, _ holdOut: HoldOut? = nil) -> String {
        var parts = ["kuoci tokens 2", tokenizer.digest, "\(tokenizer.beginID ?? -1)", "\(tokenizer.endID)"]
        for file in files { parts += [file.format.rawValue, file.digest] }
        if let holdOut { parts += ["hold out", "\(holdOut.share)"] }
        return SHA256.hexDigest(of: parts)
    }

    /// Calls `body` with each document's bytes, in order; returns what else was met.
    ///
    /// - Throws: `CorpusError` with path and line for what is no text, `TrainingDataError.changedText`.
    func forEachDocument(_ body: ([UInt8]) throws -> Void) throws -> DocumentCounts {
        var counts = DocumentCounts()
        for file in files {
            let met = try Corpora.forEachDocument(of: file.path, format: file.format, body)
            counts.documents += met.documents
            // Between paragraphs a blank line is a sign, not a document without text.
            if file.format != .paragraphs { counts.blankLines += met.blankLines }
            counts.repairedLines += met.repairedLines
            counts.nulBytes += met.nulBytes
            try file.checkUnchanged()
        }
        return counts
    }
}

extension DocumentFormat {
    /// JSON lines by the file's name, or else as asked.
    init(path: String, _ division: TextDivision) {
        self.init(path: path)
        if self == .lines, division == .paragraphs { self = .paragraphs }
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
