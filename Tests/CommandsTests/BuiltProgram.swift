import Foundation
import TestSupport

/// The built program, or nil, said aloud, if it is not there.
let program: String? = {
    let path = repositoryRoot + "/.build/debug/kuoci"
    if FileManager.default.isExecutableFile(atPath: path) { return path }
    print("SKIPPED: no built program at .build/debug/kuoci")
    return nil
}()

/// How a run of the program ended, and what it wrote.
struct Ending {
    var code: Int32
    var output: String
    var diagnostics: String
}

func run(_ program: String, _ arguments: [String]) throws -> Ending {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let (output, diagnostics) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, diagnostics)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let errors = diagnostics.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Ending(
        code: process.terminationReason == .exit ? process.terminationStatus : -1,
        output: String(decoding: text, as: UTF8.self), diagnostics: String(decoding: errors, as: UTF8.self))
}
