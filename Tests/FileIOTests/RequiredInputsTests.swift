import Foundation
import TestSupport
import Testing

@testable import FileIO

@Suite struct RequiredInputsTests {
    /// A directory with `out/model/weights`, `out.old/weights` and links to them.
    private func inDirectory(_ body: (String) throws -> Void) throws {
        try withTemporaryFiles(["out/model/weights": "w", "out.old/weights": "w"]) { directory in
            symlink("out", directory + "/to-out")
            symlink("../out.old", directory + "/out/to-old")
            symlink("out/model/weights", directory + "/to-weights")
            symlink("nowhere", directory + "/out/broken")
            try body(directory)
        }
    }

    @Test(arguments: [
        "out", "out/", "./out/.", "out/model", "out/model/..", "out/model/weights", "to-out/model", "to-weights",
        "out/to-old", "out/broken", "out.old/../out/model",
    ])
    func `an input that is the output or lies below it is refused`(_ input: String) throws {
        try inDirectory { directory in
            let (output, path) = (directory + "/out", "\(directory)/\(input)")
            for name in [output, output + "//", directory + "/out.old/../out"] {
                #expect(throws: FileError.holdsInput(path: name, input: path)) {
                    try requireInputs([directory + "/out.old", path], outside: name)
                }
            }
        }
    }

    @Test(arguments: ["out.old", "out.old/weights", "out/to-old/weights", "out/absent", ".", "out/.."])
    func `an input beside or above the output, or not there, is none of its business`(_ input: String) throws {
        try inDirectory { directory in
            try requireInputs(["\(directory)/\(input)"], outside: directory + "/out")
            try requireInputs(["\(directory)/\(input)"], outside: directory + "/none/out")
        }
    }

    @Test func `a file may not take the place of an input, nor a link the input's`() throws {
        try inDirectory { directory in
            let (file, link) = (directory + "/out.old/weights", directory + "/to-weights")
            #expect(throws: FileError.holdsInput(path: file, input: file)) {
                try requireInputs([file], outside: file)
            }
            // To replace a link leaves what it led to, but not to somebody who named it by the link.
            try requireInputs([directory + "/out/model/weights"], outside: link)
            #expect(throws: FileError.holdsInput(path: link, input: link)) {
                try requireInputs([link], outside: link)
            }
        }
    }

    @Test(arguments: ["", "/", ".", "..", "x/.", "x/..", "./", "x/../"])
    func `an output without a name of its own is refused before anything is made`(_ output: String) throws {
        #expect(throws: FileError.noName(path: output)) { try requireInputs([], outside: output) }
        #expect(throws: FileError.noName(path: output)) { _ = try OutputDirectory(output, replacing: true) }
        #expect(!FileManager.default.fileExists(atPath: "x"))
    }

    @Test func `what must be there is asked for by name`() throws {
        try inDirectory { directory in
            try requireExisting(directory + "/out")
            for name in ["none", "out/broken"] {
                #expect(throws: FileError.missing(path: "\(directory)/\(name)")) {
                    try requireExisting("\(directory)/\(name)")
                }
            }
        }
    }
}
