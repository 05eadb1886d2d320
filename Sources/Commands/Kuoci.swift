public import ArgumentParser
import Provenance

/// The command line: one file a verb.
public struct Kuoci: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "kuoci",
        abstract: "Extends the vocabulary of a LLaMA-family model with Chinese and continues its pretraining.",
        version: Manifest.version,
        subcommands: [])

    public init() {}
}
