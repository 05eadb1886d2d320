// Judges safetensors files for Tests/Conformance/unsound.py, many in one process: `safetensors-verdicts DIRECTORY` prints
// a line for each file of the directory, its name, a tab, and `ok` or what is wrong with it.
import Foundation
import Safetensors

guard CommandLine.arguments.count == 2 else {
    print("usage: safetensors-verdicts DIRECTORY")
    exit(64)
}
let directory = CommandLine.arguments[1]
for name in try FileManager.default.contentsOfDirectory(atPath: directory).sorted() {
    do {
        let file = try SafetensorsFile("\(directory)/\(name)")
        // What was taken can be read to its last byte.
        for tensor in file.tensors {
            let count = file.withUnsafeBytes(of: tensor) { $0.reduce(0) { sum, _ in sum + 1 } }
            precondition(count == tensor.byteCount, "\(name): \(tensor.name) has another size than it says")
        }
        print("\(name)\tok")
    } catch {
        print("\(name)\t\(error)")
    }
}
