public import ArgumentParser
import Commands
import Provenance

/// The verbs of `kuoci` that need libtorch; help and messages show them as `kuoci`'s own.
public struct KuociTorch: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "kuoci",
        abstract: "The verbs of kuoci that need libtorch.",
        version: Manifest.version,
        subcommands: [
            PretrainCommand.self, EvaluateCommand.self, GenerateCommand.self, InitCompareCommand.self,
        ])

    public init() {}

    /// Runs the command line and ends the process, as `Kuoci.start` does.
    public static func start() -> Never {
        runProgram(KuociTorch.self)
    }
}
