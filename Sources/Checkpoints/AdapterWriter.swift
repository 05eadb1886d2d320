import FileIO
import OrderedJSON
public import Provenance
public import Safetensors

/// Writes a PEFT adapter directory, whole or not at all.
///
/// - Parameters:
///   - tensors: The tensors by their names on disk (`Adapter.factorNames`, `Adapter.replacementName`).
///   - bytes: Called once per tensor; hands its little-endian bytes to the sink, in chunks of any size.
/// - Throws: `FileError.alreadyExists` unless `replacing`, `SafetensorsError.planMismatch`, what `bytes` throws.
public func writeAdapter(
    to directory: String, config: AdapterConfig, tensors: [TensorPlan], manifest: Manifest? = nil, replacing: Bool,
    bytes: (TensorInfo, _ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
) throws {
    let output = try OutputDirectory(directory, replacing: replacing)
    let path = output.path(of: Adapter.weightsFile)
    try writeTensors(path, tensors: tensors, bytes: bytes)
    // Without a final newline, as PEFT writes it.
    try writeFile(output.path(of: Adapter.configFile), config.json.utf8(.huggingFace))
    if var manifest {
        manifest.results["tensors_sha256"] = .string(contentHashOfTensors(in: [try SafetensorsFile(path)]))
        try manifest.write(to: output.stagingPath)
    }
    _ = try Adapter(directory: output.stagingPath)
    try output.commit()
}

private func writeTensors(
    _ path: String, tensors: [TensorPlan],
    bytes: (TensorInfo, _ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
) throws {
    var writer = try SafetensorsWriter(path, tensors: tensors)
    for tensor in writer.tensors {
        let before = writer.missing
        try bytes(tensor) { try writer.write(bytes: $0) }
        guard before - writer.missing == tensor.byteCount else {
            throw SafetensorsError.planMismatch(
                path: path,
                reason: "tensor \(tensor.name) was given \(before - writer.missing) bytes, not \(tensor.byteCount)")
        }
    }
    try writer.finish()
}
