public import ArgumentParser
import FileIO
import Foundation
import Provenance

/// The command line: one file a verb.
public struct Kuoci: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "kuoci",
        abstract: "Extends the vocabulary of a LLaMA-family model with Chinese and continues its pretraining.",
        version: Manifest.version,
        subcommands: [
            CorpusCommand.self, CountCommand.self, TrainCommand.self, EncodeCommand.self, DecodeCommand.self,
            NormalizeCommand.self, ExportVocabularyCommand.self, MergeCommand.self, ConvertCommand.self,
            MeasureCommand.self, AdviseCommand.self, LintCommand.self, ReportCommand.self,
            InitCommand.self, ResizeCommand.self, VerifyCommand.self, ExportCommand.self, PretrainStub.self,
            EvaluateStub.self,
            GenerateStub.self, InitCompareStub.self,
            SummaryCommand.self,
        ])

    public init() {}

    /// Runs the command line and ends the process: 0 done, 1 failed, 64 usage, 65 bad data.
    public static func start() -> Never {
        TensorVerb.handOver(Array(CommandLine.arguments.dropFirst()))
        runProgram(Kuoci.self)
    }
}

/// Runs the process's command line as the root command `root` and ends the process as `Kuoci.start` says.
package func runProgram(_ root: any ParsableCommand.Type) -> Never {
    // A reader that closes the pipe (`| head`) ends us quietly.
    signal(SIGPIPE, SIG_DFL)
    Interruption.cleanUp()
    watchForShortenedFiles()
    do {
        let switches = TrainCommand.switches.union(EncodeCommand.switches).union(NormalizeCommand.switches)
        let arguments = valued(
            hyphenated(Array(CommandLine.arguments.dropFirst()), switches: switches),
            defaults: MergeCommand.defaultValues)
        var command = try root.parseAsRoot(arguments)
        try command.run()
        exit(0)
    } catch let error as any BadDataError {
        fail("\(error)", code: 65)
    } catch let error as FileError {
        fail("\(error)", code: error.isAboutContent ? 65 : 1)
    } catch {
        root.exit(withError: error)
    }
}

private func fail(_ message: String, code: Int32) -> Never {
    printDiagnostic("kuoci: \(message)")
    exit(code)
}

/// A line on standard error.
package func printDiagnostic(_ line: String) {
    // Where nobody listens any more the work goes on.
    try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
}
