/// kuoci-fuzz TARGET [libFuzzer's arguments]: hands libFuzzer's inputs to one target.
import Glibc

/// What a target is handed; each must come back without a trap whatever the bytes are.
typealias FuzzTarget = (UnsafeRawBufferPointer) -> Void

let targets: [String: FuzzTarget] = [
    "model": fuzzModel, "text": fuzzText, "corpus": fuzzCorpus, "json": fuzzJSON, "gguf": fuzzGGUF,
    "gguf-model": fuzzGGUFModel,
    "safetensors": fuzzSafetensors, "checkpoint": fuzzCheckpoint, "adapter": fuzzAdapter,
]

/// libFuzzer's own entry, for programs that have their own `main`.
@_silgen_name("LLVMFuzzerRunDriver")
func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

guard CommandLine.arguments.count > 1, let chosen = targets[CommandLine.arguments[1]] else {
    print("usage: kuoci-fuzz \(targets.keys.sorted().joined(separator: "|")) [libFuzzer's arguments]")
    exit(64)
}
nonisolated(unsafe) let target = chosen

// libFuzzer sees the arguments without the target's name.
var words = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) } + [nil]
var count = CInt(words.count - 1)
let status = words.withUnsafeMutableBufferPointer { buffer in
    var start = buffer.baseAddress
    return runLibFuzzer(&count, &start) { bytes, length in
        target(UnsafeRawBufferPointer(start: bytes, count: length))
        return 0
    }
}
exit(status)
