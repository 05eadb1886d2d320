import FileIO
import Foundation
public import Safetensors

/// A PEFT LoRA adapter: low-rank updates of some matrices, and tensors that replace the base model's.
public struct Adapter: Sendable {
    public let directory: String
    public let config: AdapterConfig
    /// The mapped adapter_model.safetensors.
    public let file: SafetensorsFile
    /// The update of a base tensor, by that tensor's name (`model.layers.0.self_attn.q_proj.weight`).
    public let updates: [String: Update]
    /// The tensor that replaces a base tensor, by that tensor's name (`model.embed_tokens.weight`).
    public let replacements: [String: TensorInfo]

    /// The update `scaling * B·A` of a matrix [out, in].
    public struct Update: Sendable, Equatable {
        /// [rank, in].
        public var a: TensorInfo
        /// [out, rank].
        public var b: TensorInfo
    }

    public static let configFile = "adapter_config.json"
    public static let weightsFile = "adapter_model.safetensors"
    private static let prefix = "base_model.model."

    /// - Throws: `FileError`, `CheckpointError` or `SafetensorsError`, each naming the file that is at fault.
    public init(directory: String) throws {
        let manager = FileManager.default
        guard manager.fileExists(atPath: directory) else { throw FileError.missing(path: directory) }
        config = try AdapterConfig(contentsOf: "\(directory)/\(Self.configFile)")
        let path = "\(directory)/\(Self.weightsFile)"
        if !manager.fileExists(atPath: path), manager.fileExists(atPath: directory + "/adapter_model.bin") {
            throw CheckpointError.unfit(
                path: directory + "/adapter_model.bin",
                reason: "is a pickle, which may run code when loaded; convert it with "
                    + "PeftModel.from_pretrained(...).save_pretrained(..., safe_serialization=True)")
        }
        file = try SafetensorsFile(path)
        self.directory = directory
        (updates, replacements) = try sortTensors(file, config: config)
    }

    /// The names on disk of the two factors that update a base tensor.
    public static func factorNames(of baseTensor: String) -> (a: String, b: String) {
        let module = baseTensor.hasSuffix(".weight") ? String(baseTensor.dropLast(7)) : baseTensor
        return (prefix + module + ".lora_A.weight", prefix + module + ".lora_B.weight")
    }

    /// The name on disk of the tensor that replaces a base tensor.
    public static func replacementName(of baseTensor: String) -> String {
        prefix + baseTensor
    }

    /// The base tensor's name behind a name on disk.
    fileprivate static func baseName(_ name: String) -> String? {
        name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : nil
    }
}

private func sortTensors(
    _ file: SafetensorsFile, config: AdapterConfig
) throws -> (updates: [String: Adapter.Update], replacements: [String: TensorInfo]) {
    var factorsA: [String: TensorInfo] = [:]
    var factorsB: [String: TensorInfo] = [:]
    var replacements: [String: TensorInfo] = [:]
    for tensor in file.tensors {
        guard let name = Adapter.baseName(tensor.name) else { throw unknownTensor(tensor, file) }
        if name.hasSuffix(".lora_A.weight") {
            factorsA[name.dropLast(14) + ".weight"] = tensor
        } else if name.hasSuffix(".lora_B.weight") {
            factorsB[name.dropLast(14) + ".weight"] = tensor
        } else if name.contains(".original_module.") || name.contains(".modules_to_save.") {
            // PEFT's save_embedding_layers="auto" leaves these copies beside the tensor of the plain name.
            continue
        } else if name.hasSuffix(".weight"), !name.contains(".lora_"), !name.contains(".base_layer.") {
            replacements[name] = tensor
        } else {
            throw unknownTensor(tensor, file)
        }
    }
    var updates: [String: Adapter.Update] = [:]
    for (name, a) in factorsA.sorted(by: { $0.key < $1.key }) {
        guard let b = factorsB.removeValue(forKey: name) else {
            throw CheckpointError.unfit(path: file.path, reason: "has lora_A but no lora_B for \(quoted(name))")
        }
        guard a.shape.count == 2, b.shape.count == 2, a.shape[0] == config.rank, b.shape[1] == config.rank else {
            throw CheckpointError.unfit(
                path: file.path,
                reason: "the factors of \(quoted(name)) have shapes \(a.shape) and \(b.shape), "
                    + "which do not fit rank \(config.rank) of adapter_config.json")
        }
        updates[name] = Adapter.Update(a: a, b: b)
    }
    if let name = factorsB.keys.min() {
        throw CheckpointError.unfit(path: file.path, reason: "has lora_B but no lora_A for \(quoted(name))")
    }
    if let name = updates.keys.filter({ replacements[$0] != nil }).min() {
        throw CheckpointError.unfit(path: file.path, reason: "both updates and replaces \(quoted(name))")
    }
    return (updates, replacements)
}

private func unknownTensor(_ tensor: TensorInfo, _ file: SafetensorsFile) -> CheckpointError {
    .unfit(
        path: file.path,
        reason: "holds \(quoted(tensor.name)), which no plain LoRA adapter of a LLaMA-family model has")
}
