import FileIO
import Foundation
import OrderedJSON

extension JobSummary {
    /// Reads what is there.
    ///
    /// - Throws: `SummaryError`, `.nothing` if no step has left anything.
    init(directory: String) throws {
        func json(_ name: String) throws -> (value: JSONValue, path: String)? {
            try readJSON(directory + "/" + name)
        }
        fertilities = try json("measure.json").map { try Self.fertilities($0.value, $0.path) } ?? []
        let base = try json("base/kuoci.json")
        let stage1 = try json("stage1/kuoci.json")
        let stage2 = try json("stage2/kuoci.json")
        let export = try json("evaluation/export.json")
        qualities = [
            Quality(state: "base model", bitsPerByte: try Self.run(base, "after")),
            // Stage 1 measures before its first step what resizing made.
            Quality(state: "after resizing", bitsPerByte: try Self.run(stage1, "before")),
            Quality(state: "after stage 1", bitsPerByte: try Self.run(stage1, "after")),
            Quality(state: "after stage 2", bitsPerByte: try Self.run(stage2, "after")),
            Quality(state: "exported", bitsPerByte: try export.map { try Self.bitsPerByte($0.value, $0.path) }),
        ]
        steps = try Self.steps(directory + "/times.tsv")
        results = Self.results(directory)
        if fertilities.isEmpty, steps.isEmpty, results.isEmpty, qualities.allSatisfy({ $0.bitsPerByte == nil }) {
            throw SummaryError.nothing(directory: directory)
        }
    }

    /// `kuoci measure --format json` on the two tokenizers and the held-out texts.
    private static func fertilities(_ value: JSONValue, _ path: String) throws -> [Fertility] {
        func require<T>(_ value: T?, _ what: String) throws -> T {
            guard let value else { throw SummaryError.missing(path: path, what: what) }
            return value
        }
        var result: [Fertility] = []
        for text in try require(value.array, "list of texts") {
            let language = language(ofText: try require(text["text"]?.string, "\"text\""))
            for (index, tokenizer) in try require(text["tokenizers"]?.array, "\"tokenizers\"").enumerated() {
                let entries = try require(tokenizer["entries"]?.int, "\"entries\"")
                if index == result.count { result.append(Fertility(entries: entries, tokensPerCharacter: [:])) }
                // An empty text has no tokens per character.
                if let language, let ratio = tokenizer["tokens_per_character"]?.double {
                    result[index].tokensPerCharacter[language] = ratio
                }
            }
        }
        return result
    }

    /// The language that begins a held-out file's name: `out/corpus/zh.heldout.txt` is `zh`.
    private static func language(ofText path: String) -> String? {
        let name = (path as NSString).lastPathComponent
        return languages.first { name.hasPrefix($0.key + ".") }?.key
    }

    /// A pretraining run's measures before its first step or after its last.
    private static func run(_ manifest: (value: JSONValue, path: String)?, _ when: String) throws -> [String: Double]? {
        guard let manifest else { return nil }
        guard let sets = manifest.value["results"]?[when] else {
            throw SummaryError.missing(path: manifest.path, what: "\"\(when)\" among its results")
        }
        return try bitsPerByte(sets, manifest.path)
    }

    /// Sets with their bits per byte; a measure that was no number is left out.
    private static func bitsPerByte(_ value: JSONValue, _ path: String) throws -> [String: Double] {
        guard let sets = value.array else { throw SummaryError.missing(path: path, what: "list of held-out sets") }
        var result: [String: Double] = [:]
        for set in sets {
            guard let name = set["set"]?.string else { throw SummaryError.missing(path: path, what: "\"set\"") }
            result[name] = set["bits_per_byte"]?.double
        }
        return result
    }

    /// Lines of a step's name, a tab and its seconds; none if the file is not there.
    private static func steps(_ path: String) throws -> [Step] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let lines = String(decoding: try readFile(path), as: UTF8.self).split(separator: "\n")
        return try lines.enumerated().map { number, line in
            let fields = line.split(separator: "\t")
            guard fields.count == 2, let seconds = Double(fields[1]), seconds.isFinite, (0..<1e9).contains(seconds)
            else {
                throw SummaryError.badTime(path: path, line: number + 1)
            }
            return Step(name: String(fields[0]), seconds: seconds)
        }
    }

    private static func results(_ directory: String) -> [Result] {
        let known = [
            ("corpus", "the texts: zh.txt, en.txt, and what is held out of each"),
            ("zh.model", "the Chinese vocabulary, for SentencePiece"),
            ("tokenizer", "the merged tokenizer, for SentencePiece and Hugging Face"),
            ("base/model", "the small base model"),
            ("resized", "the base model with rows for the new pieces"),
            ("stage1/model", "after stage 1"),
            ("stage2/adapter", "stage 2's adapter, for PEFT"),
            ("export", "the result, for Hugging Face transformers"),
            ("report.html", "all of this with plots and examples, for a browser"),
        ]
        return known.compactMap { name, meaning in
            let path = directory + "/" + name
            return FileManager.default.fileExists(atPath: path) ? Result(path: path, meaning: meaning) : nil
        }
    }
}

/// The JSON of a file, or nil if there is no such file.
private func readJSON(_ path: String) throws -> (value: JSONValue, path: String)? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
        return (try JSONValue(parsing: readFile(path)), path)
    } catch let error as JSONError {
        throw SummaryError.notJSON(path: path, reason: error.description)
    }
}
