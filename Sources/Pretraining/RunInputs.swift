import FileIO
import Foundation
import OrderedJSON
import Provenance

/// What a run reads, with the hashes by which a resumed run knows it again.
struct RunInputs {
    struct ModelFile {
        var path: String
        var digest: String
    }

    let modelFiles: [ModelFile]
    let tokenizerDigest: String
    /// In the order of `PretrainingOptions.corpora`.
    let corpora: [TextSource]
    let heldOut: [(name: String, source: TextSource)]

    init(_ options: PretrainingOptions, _ tokenizer: TrainingTokenizer) throws {
        modelFiles = try Self.modelFiles(options.model)
        tokenizerDigest = tokenizer.digest
        corpora = try options.corpora.map { try TextSource($0.paths, options.documents) }
        heldOut = try options.heldOut.map { ($0.name, try TextSource($0.paths, options.documents)) }
    }

    /// The file behind each SHA-256 of a text.
    var contents: [(digest: String, path: String)] {
        (corpora + heldOut.map(\.source)).flatMap(\.files).map { ($0.digest, $0.path) }
    }

    /// A line for each held-out file that is trained on as well.
    var doubts: [String] {
        let trained = corpora.flatMap(\.files)
        return heldOut.flatMap { name, source in
            source.files.compactMap { file in
                trained.first { $0.digest == file.digest }.map {
                    "held out \(name): \(file.path) has the same content as \($0.path), which is trained on, so it does not"
                        + " show how the model reads what is new to it"
                }
            }
        }
    }

    /// The files that decide what the model computes.
    static func modelFiles(_ directory: String) throws -> [ModelFile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw FileError.missing(path: directory)
        }
        let relevant = names.filter { $0 == "config.json" || $0.hasSuffix(".safetensors") }.sorted()
        return try relevant.map { name in
            ModelFile(path: name, digest: try SHA256.hexDigest(ofFile: directory + "/" + name))
        }
    }

    /// Bytes of a model's safetensors files.
    static func weightBytes(_ directory: String) throws -> Int {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        return try names.filter { $0.hasSuffix(".safetensors") }
            .reduce(0) { $0 + (try MappedFile(directory + "/" + $1).count) }
    }

    /// Paths are left out where the content decides, so that files may move.
    func description(_ options: PretrainingOptions) -> JSONValue {
        var model: JSONValue = [:]
        for file in modelFiles { model[file.path] = .string(file.digest) }
        var sets: JSONValue = [:]
        for (name, source) in heldOut { sets[name] = .strings(source.files.map(\.digest)) }
        return [
            "options": options.deciding, "model": model, "tokenizer": .string(tokenizerDigest),
            "text": text(options), "heldout": sets,
        ]
    }

    private func text(_ options: PretrainingOptions) -> JSONValue {
        let digests = corpora.map { JSONValue.strings($0.files.map(\.digest)) }
        if options.mix.isEmpty { return digests[0] }
        var value: JSONValue = [:]
        for (corpus, digests) in zip(options.corpora, digests) { value[corpus.name] = digests }
        return value
    }
}

extension PretrainingOptions {
    /// The files of all texts.
    var textPaths: [String] { (mix.isEmpty ? text : mix.flatMap(\.paths)) + heldOut.flatMap(\.paths) }

    /// What a run reads and must not remove.
    var inputPaths: [String] {
        [model, model + "/" + Manifest.fileName] + [tokenizer].compactMap { $0 } + textPaths
    }
}
