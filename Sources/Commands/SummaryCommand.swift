import ArgumentParser

/// `kuoci summary`: one table of what the main job did.
struct SummaryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary",
        abstract: "Prints one table of what the main job did.",
        discussion: """
            Reads what the steps of `make` left in DIR: entries, tokens per character before and after, bits per byte \
            on held-out Chinese and English after each stage, the time of each step, and where the files are. \
            What has not run yet shows as a dash.

            Example: kuoci summary out
            """)

    @Argument(help: "The directory that the main job wrote.")
    var directory: String

    func run() throws {
        print(try JobSummary(directory: directory).text)
    }
}
