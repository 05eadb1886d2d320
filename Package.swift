// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The text spine needs nothing but system libraries. The tensor spine needs libtorch: the directory that
// holds its `include` and `lib`, from LIBTORCH or, after `make setup`, from .deps/libtorch.
let libtorch: String? = {
    let named = ProcessInfo.processInfo.environment["LIBTORCH"].flatMap { $0.isEmpty ? nil : $0 }
    let candidate = named ?? Context.packageDirectory + "/.deps/libtorch"
    return FileManager.default.fileExists(atPath: candidate + "/include/torch/csrc/api/include/torch/torch.h")
        ? candidate : nil
}()

// Training on several machines needs MPI: the directory that holds its `include` and `lib`, from MPI_HOME if that is set
// or else where Debian has it. Without it everything else builds.
let mpi: String? = {
    let named = ProcessInfo.processInfo.environment["MPI_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    let installed = ["x86_64", "aarch64"].flatMap { machine in
        ["openmpi", "mpich"].map { "/usr/lib/\(machine)-linux-gnu/\($0)" }
    }
    return (named.map { [$0] } ?? installed).first { home in
        ["include/mpi.h", "lib/libmpi.so"].allSatisfy { FileManager.default.fileExists(atPath: home + "/" + $0) }
    }
}()

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let orderedCollections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, _ dependencies: [Target.Dependency] = [], embedding files: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: files.map { .embedInCode($0) }, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: dependencies + [.target(name: name), "TestSupport"],
        swiftSettings: swiftSettings)
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

// Layer by layer, from the bottom: a target imports only from layers above its own line.
var targets: [Target] = [
    // 0
    .target(name: "CICU", linkerSettings: [.linkedLibrary("icuuc"), .linkedLibrary("icudata")]),
    .target(name: "CFolding"),
    .systemLibrary(name: "CLinux"),
    system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
    system("CLibXML2", pkgConfig: "libxml-2.0", apt: "libxml2-dev"),
    library("OrderedJSON", [orderedCollections]),
    library("Partitioning"),
    library("SeededRandom"),
    library("FileIO", ["CLinux", "CZlib", "CZstd", "CCrypto"]),
    // 1
    library("Provenance", ["FileIO", "OrderedJSON"]),
    library("UnicodeText", ["CICU"]),
    library("Corpora", ["FileIO", "UnicodeText", "OrderedJSON", "Partitioning", "CLibXML2"]),
    .target(
        name: "PieceModel", dependencies: ["FileIO", protobuf], exclude: ["sentencepiece_model.proto"],
        swiftSettings: swiftSettings),
    library("Safetensors", ["FileIO", "OrderedJSON", orderedCollections]),
    library("GGUF", ["FileIO"]),
    // 2
    library("Tokenizers", ["PieceModel", "UnicodeText", "Partitioning", "SeededRandom", "FileIO"]),
    library(
        "Checkpoints",
        [
            "CFolding", "Safetensors", "FileIO", "OrderedJSON", "Partitioning", "SeededRandom", "Provenance",
            orderedCollections,
        ]),
    // 3
    library(
        "TokenizerFormats",
        ["Tokenizers", "PieceModel", "UnicodeText", "GGUF", "OrderedJSON", "FileIO", "Partitioning", heap]),
    library(
        "TokenizerTraining",
        ["Tokenizers", "PieceModel", "UnicodeText", "Corpora", "FileIO", "Partitioning", "SeededRandom"]),
    library("VocabularyMerging", ["Tokenizers", "PieceModel", "UnicodeText", "OrderedJSON", "FileIO", "Partitioning"]),
    library("TokenizerMetrics", ["Tokenizers", "PieceModel", "UnicodeText", "FileIO", "Partitioning"]),
    // 4
    library(
        "CheckpointResizing",
        [
            "Checkpoints", "Safetensors", "Tokenizers", "PieceModel", "UnicodeText", "Corpora", "VocabularyMerging",
            "OrderedJSON", "FileIO", "Provenance", "Partitioning", orderedCollections,
        ]),
    library(
        "ModelConversion",
        [
            "Checkpoints", "Safetensors", "GGUF", "TokenizerFormats", "Tokenizers", "PieceModel", "OrderedJSON",
            "FileIO", "Provenance", "Partitioning", orderedCollections,
        ]),
    library("Reports", ["FileIO", mustache], embedding: ["Templates/report.mustache", "Templates/figure.css"]),
    library(
        "VocabularyLint",
        [
            "VocabularyMerging", "TokenizerFormats", "Tokenizers", "PieceModel", "UnicodeText", "FileIO",
            "Partitioning",
        ]),
]

// The program `kuoci-torch` holds the verbs that need libtorch: `kuoci` starts it for them, and loads nothing of it.
var programs = ["kuoci"]

if let libtorch {
    let headers = ["-I\(libtorch)/include", "-I\(libtorch)/include/torch/csrc/api/include"]
    let linking: [LinkerSetting] = [
        .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
        .linkedLibrary("torch"), .linkedLibrary("torch_cpu"), .linkedLibrary("c10"), .linkedLibrary("stdc++"),
    ]
    targets += [
        .target(
            name: "CTorch", cxxSettings: [.unsafeFlags(headers + ["-std=c++20", "-O2", "-w"])],
            linkerSettings: linking),
        .target(
            name: "CMPI",
            cSettings: mpi.map { [.define("KUOCI_MPI"), .unsafeFlags(["-I\($0)/include"])] } ?? [],
            linkerSettings: mpi.map { home in
                [
                    .unsafeFlags(["-L\(home)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(home)/lib"]),
                    .linkedLibrary("mpi"),
                ]
            } ?? []),
        .target(name: "CNCCL", linkerSettings: [.linkedLibrary("dl")]),
        library("Collectives", ["CMPI", "CNCCL"]),
        library("Torch", ["CTorch"]),
        library("LlamaModels", ["Torch", "Checkpoints", "Safetensors", "SeededRandom", "OrderedJSON", "FileIO"]),
        library(
            "Pretraining",
            [
                "LlamaModels", "Torch", "Collectives", "Checkpoints", "CheckpointResizing", "Safetensors", "Tokenizers",
                "TokenizerFormats", "PieceModel", "Corpora", "OrderedJSON", "FileIO", "Provenance", "Partitioning",
                "Reports", "SeededRandom", yams,
            ],
            embedding: ["kuoci", "paper-7b", "paper-plus-7b", "paper-13b", "paper-33b", "tiny"].map {
                "Recipes/\($0).yaml"
            }),
        library(
            "TorchCommands",
            [
                "Commands", "Pretraining", "Torch", "Collectives", "LlamaModels", "Checkpoints", "CheckpointResizing",
                "Tokenizers", "Provenance", "FileIO", "OrderedJSON", "Partitioning", argumentParser,
            ]),
        .executableTarget(
            name: "kuoci-torch", dependencies: ["TorchCommands"], swiftSettings: swiftSettings,
            linkerSettings: linking),
        // One of the processes that the tests of Collectives start under mpirun.
        .executableTarget(
            name: "collectives-process", dependencies: ["Collectives", "FileIO", "TestSupport"],
            path: "Tests/CollectivesProcess", swiftSettings: swiftSettings),
        tests("Collectives", ["collectives-process", "FileIO"]),
        tests("Torch", ["Safetensors"]),
        tests("LlamaModels", ["Torch", "Checkpoints", "Safetensors", "OrderedJSON", "FileIO"]),
        tests(
            "Pretraining",
            [
                "LlamaModels", "Torch", "Checkpoints", "CheckpointResizing", "Safetensors", "Tokenizers",
                "TokenizerFormats", "PieceModel", "Corpora", "SeededRandom", "OrderedJSON", "FileIO",
            ]),
    ]
    programs.append("kuoci-torch")
}

targets += [
    // 5, 6
    library(
        "Commands",
        [
            argumentParser, "FileIO", "OrderedJSON", "Provenance", "Partitioning", "UnicodeText", "Corpora",
            "PieceModel", "Tokenizers", "TokenizerFormats", "TokenizerTraining", "VocabularyMerging",
            "VocabularyLint", "TokenizerMetrics", "Safetensors", "Checkpoints", "CheckpointResizing",
            "GGUF", "ModelConversion", "Reports",
        ], embedding: ["Study/payoff.json"]),
    .executableTarget(name: "kuoci", dependencies: ["Commands"], swiftSettings: swiftSettings),
    // Tests mirror Sources.
    .target(
        name: "TestSupport", dependencies: ["FileIO", "PieceModel"], path: "Tests/TestSupport",
        swiftSettings: swiftSettings),
    // What Tests/Conformance/unsound.py asks whether files are sound.
    .executableTarget(
        name: "safetensors-verdicts", dependencies: ["Safetensors"], path: "Tests/SafetensorsVerdicts",
        swiftSettings: swiftSettings),
    tests("OrderedJSON", []),
    tests("FileIO", ["CZlib", "CZstd"]),
    tests("Partitioning", []),
    tests("UnicodeText", []),
    tests("Corpora", ["FileIO", "OrderedJSON"]),
    tests("PieceModel", ["FileIO"]),
    tests("Safetensors", ["FileIO", "OrderedJSON"]),
    tests("GGUF", ["FileIO", "SeededRandom"]),
    tests("Tokenizers", ["PieceModel", "SeededRandom", "FileIO"]),
    tests("Checkpoints", ["CFolding", "SeededRandom", "Safetensors", "FileIO", "OrderedJSON"]),
    tests("TokenizerFormats", ["Tokenizers", "PieceModel", "GGUF", "OrderedJSON", "FileIO"]),
    tests("TokenizerTraining", ["Tokenizers", "PieceModel", "FileIO"]),
    tests(
        "VocabularyMerging", ["Tokenizers", "PieceModel", "TokenizerFormats", "UnicodeText", "OrderedJSON", "FileIO"]),
    tests("VocabularyLint", ["VocabularyMerging", "TokenizerFormats", "Tokenizers", "PieceModel", "FileIO"]),
    tests("TokenizerMetrics", ["Tokenizers", "PieceModel"]),
    tests("Reports", ["FileIO"]),
    tests(
        "ModelConversion",
        ["Checkpoints", "Safetensors", "GGUF", "TokenizerFormats", "Tokenizers", "PieceModel", "OrderedJSON", "FileIO"]),
    tests(
        "CheckpointResizing",
        [
            "Checkpoints", "Safetensors", "Tokenizers", "PieceModel", "VocabularyMerging", "OrderedJSON", "FileIO",
            "Provenance",
        ]),
    tests(
        "Commands",
        [
            "PieceModel", "Tokenizers", "VocabularyMerging", "TokenizerMetrics", "Checkpoints", "FileIO", "OrderedJSON",
            "Reports",
        ]),
]

let package = Package(
    name: "kuoci",
    products: programs.map { .executable(name: $0, targets: [$0]) }
        + [
            "Tokenizers", "TokenizerTraining", "TokenizerFormats", "VocabularyMerging", "VocabularyLint",
            "TokenizerMetrics", "PieceModel", "Corpora", "FileIO", "OrderedJSON",
            "Safetensors", "GGUF", "Checkpoints", "CheckpointResizing",
            "ModelConversion",
        ].map { .library(name: $0, targets: [$0]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
