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
        let module = moduleName(of: baseTensor)
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

/// The tensors of an adapter's file by what they are, each by the name of the base tensor that it changes.
private struct AdapterTensors {
    var factorsA: [String: TensorInfo] = [:]
    var factorsB: [String: TensorInfo] = [:]
    var replacements: [String: TensorInfo] = [:]

    init(_ file: SafetensorsFile) throws {
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
    }
}

private func sortTensors(
    _ file: SafetensorsFile, config: AdapterConfig
) throws -> (updates: [String: Adapter.Update], replacements: [String: TensorInfo]) {
    func unfit(_ reason: String) -> CheckpointError { .unfit(path: file.path, reason: reason) }
    let found = try AdapterTensors(file)
    let updates = try pairedFactors(found, rank: config.rank, path: file.path)
    if let name = updates.keys.filter({ found.replacements[$0] != nil }).min() {
        throw unfit(
            "both updates and replaces \(quoted(name)); train it by target_modules or by modules_to_save, not by both")
    }
    if updates.isEmpty, found.replacements.isEmpty { throw unfit("holds no tensor of an adapter; \(saveAgain)") }
    if let name = updates.keys.filter({ config.targets.contains(moduleName(of: $0)) == false }).min() {
        throw unfit(
            "updates \(quoted(name)), which adapter_config.json does not target, so that PEFT would leave it out; "
                + "correct target_modules, layers_to_transform or exclude_modules there")
    }
    return (updates, found.replacements)
}

/// Each A with its B, both of the rank.
private func pairedFactors(_ found: AdapterTensors, rank: Int, path: String) throws -> [String: Adapter.Update] {
    func unfit(_ reason: String) -> CheckpointError { .unfit(path: path, reason: "\(reason); \(saveAgain)") }
    var updates: [String: Adapter.Update] = [:]
    for (name, a) in found.factorsA.sorted(by: { $0.key < $1.key }) {
        guard let b = found.factorsB[name] else { throw unfit("has lora_A but no lora_B for \(quoted(name))") }
        guard a.shape.count == 2, b.shape.count == 2, a.shape[0] == rank, b.shape[1] == rank else {
            throw unfit(
                "the factors of \(quoted(name)) have shapes \(a.shape) and \(b.shape), "
                    + "which do not fit rank \(rank) of adapter_config.json")
        }
        updates[name] = Adapter.Update(a: a, b: b)
    }
    if let name = found.factorsB.keys.filter({ updates[$0] == nil }).min() {
        throw unfit("has lora_B but no lora_A for \(quoted(name))")
    }
    return updates
}

private let saveAgain = "save the adapter again with PEFT's save_pretrained"

private func unknownTensor(_ tensor: TensorInfo, _ file: SafetensorsFile) -> CheckpointError {
    // With its own name for the adapter in it, or without the prefix, PEFT would not find the tensor either.
    let isMisnamed =
        Adapter.baseName(tensor.name) == nil || tensor.name.contains(".lora_A.") || tensor.name.contains(".lora_B.")
    let reason =
        isMisnamed
        ? "whose name is not as PEFT saves it; \(saveAgain)"
        : "which is neither a matrix's factor nor a whole weight; merge the adapter with PEFT's merge_and_unload first"
    return .unfit(path: file.path, reason: "holds \(quoted(tensor.name)), \(reason)")
}

/// The module that a weight belongs to.
func moduleName(of weight: String) -> String {
    weight.hasSuffix(".weight") ? String(weight.dropLast(7)) : weight
}
