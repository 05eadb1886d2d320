import FileIO
import Foundation
import PieceModel
import Tokenizers

/// The committed small models, each a valid seed of the target `model` too.
private let tokenizers: [Tokenizer] = {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../Seeds/model"
    let names = try? FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    return (names ?? []).filter { $0.hasSuffix(".model") }.map { name in
        do { return try Tokenizer(contentsOf: directory + "/" + name) } catch { fatalError("\(error)") }
    }
}()

/// Any bytes as text, under each of the small models.
func fuzzText(_ bytes: UnsafeRawBufferPointer) {
    precondition(!tokenizers.isEmpty, "Fuzz/Seeds/model holds no models")
    let text = Array(bytes)
    for tokenizer in tokenizers {
        exercise(tokenizer, text)
    }
}
