import ArgumentParser
import Foundation

/// A verb that needs libtorch. It lives in the program `kuoci-torch`, since loading libtorch would cost every other verb
/// 0.4 s and 128 MB at its start.
package enum TensorVerb: String, CaseIterable {
    case pretrain, evaluate, generate
    case initCompare = "init-compare"

    package var abstract: String {
        switch self {
        case .pretrain:
            "Trains by causal language modelling: full, embeddings (stage 1), lora (stage 2), or one after another."
        case .evaluate: "Measures loss, perplexity and bits per byte of a checkpoint on texts."
        case .initCompare: "Ranks the ways in which new rows can start by how well the model then predicts texts."
        case .generate: "Writes texts with a checkpoint, each going on from a prompt."
        }
    }

    /// The program that holds these verbs, beside `kuoci`.
    static let program = "kuoci-torch"

    /// Becomes `kuoci-torch` if the arguments name such a verb (`pretrain ...`, `help pretrain`) and it is there.
    static func handOver(_ arguments: [String]) {
        guard let verb = arguments.first == "help" ? arguments.dropFirst().first : arguments.first,
            TensorVerb(rawValue: verb) != nil, let path = programPath
        else { return }
        // The name it was called by stays, so that manifests and help show what was typed.
        let words = ([CommandLine.arguments.first ?? "kuoci"] + arguments).map { strdup($0) }
        execv(path, words + [nil])
        for word in words { free(word) }
    }

    /// `kuoci-torch` in the directory of the running program; nil if it is not there.
    private static var programPath: String? {
        guard let running = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let path = URL(fileURLWithPath: running).deletingLastPathComponent().appendingPathComponent(program).path
        return access(path, X_OK) == 0 ? path : nil
    }
}

/// What stands for a verb of `kuoci-torch` in the list of verbs, and runs only if that program is missing.
protocol TensorVerbStub: ParsableCommand {
    static var verb: TensorVerb { get }
}

extension TensorVerbStub {
    static var stubConfiguration: CommandConfiguration {
        CommandConfiguration(
            commandName: verb.rawValue, abstract: verb.abstract,
            discussion: "This build has no libtorch, which this verb needs: run `make setup`, then `make build`.")
    }

    func run() throws {
        throw ValidationError(
            """
            \(Self.verb.rawValue) needs the program \(TensorVerb.program) beside kuoci, and it is not there: this \
            build has no libtorch; run `make setup`, or set LIBTORCH=path, and build again
            """)
    }
}

struct PretrainStub: TensorVerbStub {
    static let verb = TensorVerb.pretrain
    static let configuration = stubConfiguration
    @Argument(parsing: .allUnrecognized, help: .hidden) var arguments: [String] = []
}

struct EvaluateStub: TensorVerbStub {
    static let verb = TensorVerb.evaluate
    static let configuration = stubConfiguration
    @Argument(parsing: .allUnrecognized, help: .hidden) var arguments: [String] = []
}

struct GenerateStub: TensorVerbStub {
    static let verb = TensorVerb.generate
    static let configuration = stubConfiguration
    @Argument(parsing: .allUnrecognized, help: .hidden) var arguments: [String] = []
}

struct InitCompareStub: TensorVerbStub {
    static let verb = TensorVerb.initCompare
    static let configuration = stubConfiguration
    @Argument(parsing: .allUnrecognized, help: .hidden) var arguments: [String] = []
}
