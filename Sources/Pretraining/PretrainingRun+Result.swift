import Checkpoints
import FileIO
import Foundation
import LlamaModels
import OrderedJSON
import Provenance
import Safetensors
import TokenizerFormats
import Torch

extension PretrainingRun {
    /// The adapter or model directory that the run ends with.
    var resultPath: String {
        options.out + (options.stage == .lora ? "/adapter" : "/model")
    }

    /// Where the adapter or model of the best evaluation goes.
    var bestPath: String { options.out + "/best" }

    /// Writes the adapter or the model and, last of all, the run's kuoci.json.
    func writeResult(_ summary: PretrainingSummary) throws {
        try requireFiniteWeights()
        TorchRuntime.releaseKeptBlocks()
        var results = summary.json
        results["operations_per_token"] = .double(model.trainingOperations(blockSize: options.blockSize))
        results["tensors_sha256"] = .string(try writeTrained(to: resultPath))
        if options.keepsBest, let best = position.best {
            results["best"] = best.json
            // The last state was written: the model may become the best one.
            if try restoreBest(best) {
                results["best_tensors_sha256"] = .string(try writeTrained(to: bestPath))
                observer.note("best: step \(best.step), \(rounded(best.bitsPerByte, 4)) bits per byte, in \(bestPath)")
            }
        }
        var named = options.deciding
        named["model"] = .string(options.model)
        named["tokenizer"] = .string(tokenizer.path)
        for corpus in options.corpora {
            named[options.mix.isEmpty ? "text" : "text " + corpus.name] = .strings(corpus.paths)
        }
        for set in options.heldOut { named["heldout " + set.name] = .strings(set.paths) }
        let modelFiles = try RunInputs.modelFiles(options.model).map { options.model + "/" + $0.path }
        // A tokenizer that was made in code has no file.
        let tokenizerFiles = [tokenizer.path].filter { FileManager.default.fileExists(atPath: $0) }
        let inputs = modelFiles + tokenizerFiles + options.corpora.flatMap(\.paths) + options.heldOut.flatMap(\.paths)
        try Manifest(options: named, inputs: inputs, results: results).write(to: options.out)
    }

    /// What trains, embedding and head whole: PEFT knows no matrix of which only some rows are saved.
    func adapterTensors() throws -> [(name: String, tensor: Tensor)] {
        let whole = Dictionary(
            try model.weights().map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        return model.trainableParameters.map { name, tensor in
            (name, whole[String(name.dropFirst(LlamaModel.adapterPrefix.count))] ?? tensor)
        }
    }

    /// Bytes of `adapterTensors`, none of which is made for it.
    var adapterBytes: Int {
        let configuration = model.configuration
        let matrix = configuration.vocabularySize * configuration.width * MemoryLayout<Float>.size
        return model.trainableParameters.reduce(0) { bytes, parameter in
            let isVocabulary = Self.vocabularyModules.contains { parameter.name.hasSuffix($0 + ".weight") }
            return bytes + (isVocabulary ? matrix : parameter.tensor.byteCount)
        }
    }

    private static let vocabularyModules = ["embed_tokens", "lm_head"]

    /// Writes what was trained as an adapter or a model; returns its content hash.
    private func writeTrained(to path: String) throws -> String {
        options.stage == .lora ? try writeAdapter(to: path) : try writeModel(to: path)
    }

    /// The trained tensors as PEFT wants them; returns their content hash.
    private func writeAdapter(to path: String) throws -> String {
        let tensors = try adapterTensors()
        let config = AdapterConfig(
            baseModel: options.model, rank: options.loraRank, alpha: options.loraAlpha, dropout: options.loraDropout,
            targetModules: options.loraTargets.sorted(),
            modulesToSave: Self.vocabularyModules.filter { module in
                tensors.contains { $0.name.hasSuffix(module + ".weight") }
            },
            usesRankStabilization: options.usesRankStabilization)
        let named = Dictionary(tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        let plans = tensors.map { TensorPlan(name: $0.name, type: $0.tensor.element.type, shape: $0.tensor.shape) }
        try Checkpoints.writeAdapter(to: path, config: config, tensors: plans, replacing: true) { info, sink in
            guard let tensor = named[info.name] else { preconditionFailure("the writer made up a tensor") }
            try tensor.bytes().withUnsafeBytes(sink)
        }
        return contentHashOfTensors(in: [try SafetensorsFile(path + "/" + Adapter.weightsFile)])
    }

    /// The checkpoint with the trained tensors in place of the old ones, each in the type it had; returns its
    /// content hash.
    private func writeModel(to path: String) throws -> String {
        let source = try Checkpoint(directory: options.model)
        let trained = Dictionary(
            model.trainableParameters.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        var writer = try CheckpointWriter(path, tensors: source.tensors.map { TensorPlan($0) }, replacing: true)
        // The weights are read from the files once more: they need not be in memory twice.
        model.releaseMappedWeights()
        for plan in writer.tensors {
            let file = try source.shard(of: plan.name)
            guard let info = file[plan.name] else { preconditionFailure("a shard lost its tensor") }
            // Some tied checkpoints store the head as well: it stays equal to the embedding.
            let isTiedHead = model.configuration.tiesWordEmbeddings && plan.name == "lm_head.weight"
            if let tensor = trained[isTiedHead ? "model.embed_tokens.weight" : plan.name] {
                guard let element = ElementType(plan.type) else {
                    throw SafetensorsError.notFloats(tensor: plan.name, type: plan.type)
                }
                // Rows before the first trained one keep their bytes, whatever a conversion would make of them.
                let kept = max(0, info.byteCount - tensor.count * element.size)
                try file.withChunk(of: info, 0..<kept) { try writer.write(bytes: $0) }
                try writer.write(tensor.converted(to: element).bytes())
            } else {
                try file.forEachChunk(of: info) { try writer.write(bytes: $0) }
            }
        }
        try copyTokenizer(to: writer, modelTokenizer: source.tokenizerFiles)
        try writer.copy(source.sideFiles, from: options.model)
        try writer.finish(config: source.config.json, manifest: resizeRecord(source.config))
        return try Checkpoint(directory: path).contentHash
    }

    /// A kuoci.json that hands on which rows are new, as `kuoci resize` writes it, where that is known.
    ///
    /// It says nothing of this command line, which a resumed run has otherwise.
    private func resizeRecord(_ config: ModelConfig) throws -> Manifest? {
        guard let entries = try options.firstNewRow ?? config.entriesBeforeResizing() else { return nil }
        return Manifest(
            command: ["kuoci", "pretrain"],
            results: ["old_entries": .integer(entries), "new_entries": .integer(try config.vocabularySize)])
    }

    /// The tokenizer that was trained with goes along, whole.
    private func copyTokenizer(to writer: borrowing CheckpointWriter, modelTokenizer: [String]) throws {
        guard let named = options.tokenizer else { return try writer.copy(modelTokenizer, from: options.model) }
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: named, isDirectory: &isDirectory), isDirectory.boolValue {
            return try writer.copy(try tokenizerFilesIn(named), from: named)
        }
        switch TokenizerFileFormat(path: named) {
        case .json: try writeFile(writer.path(of: "tokenizer.json"), try readFile(named))
        case .gguf:
            let model = try TokenizerFile(contentsOf: named).contents(as: .model, name: "")
            try writeFile(writer.path(of: "tokenizer.model"), model)
        default: try writeFile(writer.path(of: "tokenizer.model"), try readFile(named))
        }
    }
}
