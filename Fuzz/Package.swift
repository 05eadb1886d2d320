// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that ordinary builds know nothing of it. `make fuzz` builds it with libFuzzer and
// AddressSanitizer in every module, and runs each target in turn.
let package = Package(
    name: "kuoci-fuzz",
    dependencies: [.package(name: "kuoci", path: "..")],
    targets: [
        .executableTarget(
            name: "kuoci-fuzz",
            dependencies: [
                "Corpora", "PieceModel", "Tokenizers", "TokenizerFormats", "GGUF", "FileIO", "Safetensors",
                "Checkpoints", "ModelConversion", "OrderedJSON",
            ].map { .product(name: $0, package: "kuoci") })
    ],
    swiftLanguageModes: [.v6]
)
