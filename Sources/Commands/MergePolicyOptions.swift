import ArgumentParser
import FileIO
import Foundation
import UnicodeText
import VocabularyMerging

enum MergePolicy: String, ExpressibleByArgument, CaseIterable {
    case append, harmless, continued
}

/// What a merge adds, and how.
struct MergePolicyOptions: ParsableArguments {
    @Option(
        help: """
            harmless: only pieces with a character of --scripts, below the base's merges, with the bridges they need; \
            continued: the same for a vocabulary of kuoci train --base-model, checked to be of this base; append: all \
            pieces with score 0, as published.
            """)
    var policy = MergePolicy.harmless

    @Option(help: "Stop at this many entries (default: add all).")
    var size: Int?

    @Option(
        help:
            "Writing systems, separated by commas; each new piece holds a character of one: Han, Kana, Bopomofo, Hangul, Latin."
    )
    var scripts = "Han"

    @Option(help: "A file of words to add whatever --size leaves out, one a line, of 64 characters at most.")
    var words: String?

    @Option(
        help: ArgumentHelp(
            "Encodings, separated by commas, whose characters of --scripts in one or two bytes are added whatever --size "
                + "leaves out: gb2312,big5."))
    var cover = ""

    @Option(
        parsing: .upToNextOption,
        help: "Texts, one a line, by which --size chooses what saves most and --prune finds what is never used.")
    var corpus: [String] = []

    @Flag(help: "Leave out new pieces that --corpus never uses, and write id-map.json.")
    var prune = false

    @Option(help: "Add a control piece after all others: <pad> (if the value is left out), or another <...> or [...].")
    var padToken: String?

    @Option(help: "Add unused pieces until this number divides the number of entries.")
    var padToMultiple: Int?

    func validate() throws {
        let parsed = try parsedScripts(scripts)
        if parsed.isEmpty { throw ValidationError("--scripts: name one at least, such as Han") }
        try checkCover(parsed)
        if let size, size < 1 { throw ValidationError("--size must be at least 1.") }
        if policy == .append, words != nil || !cover.isEmpty {
            throw ValidationError("--words and --cover need --policy harmless or continued")
        }
        if prune, size != nil {
            throw ValidationError("--size asks for a number of entries and --prune for those that are used; give one")
        }
        if prune, corpus.isEmpty { throw ValidationError("--prune needs --corpus") }
        if !corpus.isEmpty, !prune, size == nil || policy == .append {
            throw ValidationError("--corpus needs --prune, or --size with --policy harmless or continued")
        }
        if let padToMultiple, padToMultiple < 1 { throw ValidationError("--pad-to-multiple must be at least 1.") }
        if let padToken, !padToken.isBracketed {
            throw ValidationError(
                "--pad-token: \"\(padToken)\" would be cut out of texts by tokenizer.json; write a name as <...> or [...]"
            )
        }
    }

    private func checkCover(_ scripts: [Script]) throws {
        let set = ScriptSet(scripts)
        for name in trimmedList(cover) {
            guard let characters = TextDecoder.characters(ofEncoding: name) else {
                throw ValidationError("--cover: \"\(name)\" is no encoding that iconv knows (iconv -l lists them)")
            }
            if !characters.contains(where: set.contains) {
                throw ValidationError(
                    "--cover: \"\(name)\" has no character of \(self.scripts) in one or two bytes; name others, as gb2312"
                )
            }
        }
    }

    /// What `--policy harmless` and `continued` are asked for.
    func harmlessOptions() throws -> HarmlessOptions {
        var options = HarmlessOptions()
        options.scripts = try parsedScripts(scripts)
        options.words = try words.map(readWords) ?? []
        options.characters = trimmedList(cover).flatMap { TextDecoder.characters(ofEncoding: $0) ?? [] }
        options.controlNames = [padToken].compactMap { $0 }
        options.size = size
        options.corpus = prune ? [] : corpus
        return options
    }

    /// A longer line is no word: it would bring a bridge for almost each of its characters, and one of a thousand takes
    /// seconds.
    private static let longestWord = 64

    private func readWords(_ path: String) throws -> [String] {
        var words: [String] = []
        var number = 0
        try forEachLine(of: path) { line in
            number += 1
            let word = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces)
            let count = word.unicodeScalars.count
            if count > Self.longestWord {
                throw MergeError.wordTooLong(path: path, line: number, characters: count, most: Self.longestWord)
            }
            if !word.isEmpty { words.append(word) }
        }
        return words
    }
}

extension String {
    /// Whether it is written as names of control pieces are, `<pad>` or `[PAD]`, as no text is.
    fileprivate var isBracketed: Bool {
        let isEnclosed = hasPrefix("<") && hasSuffix(">") || hasPrefix("[") && hasSuffix("]")
        return isEnclosed && unicodeScalars.count > 2 && !unicodeScalars.contains(where: \.properties.isWhitespace)
    }
}
