import ArgumentParser
import Testing

@testable import Commands

@Suite struct TensorVerbTests {
    /// `kuoci --help` lists them though another program runs them.
    @Test(arguments: TensorVerb.allCases)
    func everyVerbIsListedWithItsOwnAbstract(_ verb: TensorVerb) {
        let listed = Kuoci.configuration.subcommands.map { $0.configuration }
        #expect(listed.contains { $0.commandName == verb.rawValue && $0.abstract == verb.abstract })
    }

    @Test func withoutTheOtherProgramTheVerbSaysWhatIsMissing() throws {
        var command = try Kuoci.parseAsRoot(["evaluate", "--model", "m", "--text", "zh=t"])
        let error = #expect(throws: ValidationError.self) { try command.run() }
        #expect(error?.message.contains("kuoci-torch") == true)
        #expect(error?.message.contains("make setup") == true)
    }

    /// The test's own process is no place beside which the program lies, and other verbs never go there.
    @Test(arguments: [["encode", "--model", "m"], ["help", "encode"], ["help"], [], ["--version"]])
    func otherVerbsStay(_ arguments: [String]) {
        TensorVerb.handOver(arguments)
    }
}
