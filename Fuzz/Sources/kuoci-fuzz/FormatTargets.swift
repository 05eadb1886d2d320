import GGUF
import PieceModel
import TokenizerFormats
import Tokenizers

/// A tokenizer.json: read, used, turned into a model.
func fuzzJSON(_ bytes: UnsafeRawBufferPointer) {
    do {
        let tokenizer = try HuggingFaceTokenizer(bytes: bytes, path: "fuzz.json")
        for probe in probes {
            let ids = probe.withUnsafeBufferPointer { tokenizer.encode(utf8: $0) }
            guard (try? tokenizer.decode(ids)) != nil else { fatalError("ids that encode gave cannot be decoded") }
        }
        let conversion = try tokenizer.sentencePieceModel()
        let model = try Tokenizer(conversion.model)
        for probe in probes { exercise(model, probe) }
    } catch {
        checkMessage(error)
    }
}

/// A GGUF file: its tensors placed; read as a model, used, written again and read once more.
func fuzzGGUF(_ bytes: UnsafeRawBufferPointer) {
    fuzzTensors(bytes)
    do {
        let tokenizer = try Tokenizer(GGUFVocabulary.model(bytes: bytes, path: "fuzz.gguf"))
        for probe in probes { exercise(tokenizer, probe) }
        let written = try GGUFVocabulary.utf8(tokenizer, name: "fuzz")
        let again = try written.withUnsafeBytes { try GGUFVocabulary.model(bytes: $0, path: "again.gguf") }
        let same = zip(again.pieces, tokenizer.model.pieces).allSatisfy { $0.piece == $1.piece && $0.type == $1.type }
        guard again.pieces.count == tokenizer.count, same else { fatalError("another vocabulary came back") }
    } catch {
        checkMessage(error)
    }
}

/// The places that a file gives its tensors lie within it, and blocks turn into as many numbers as their shape says.
private func fuzzTensors(_ bytes: UnsafeRawBufferPointer) {
    do {
        for tensor in try GGUFHeader(bytes: bytes, path: "fuzz.gguf").tensors(in: bytes) {
            let place = UnsafeRawBufferPointer(rebasing: bytes[tensor.byteRange])
            guard tensor.type.isDequantizable else { continue }
            guard tensor.type.dequantize(place).count == tensor.shape.reduce(1, *) else {
                fatalError("another count of numbers than the shape's")
            }
        }
    } catch {
        checkMessage(error)
    }
}

/// What is refused is refused in one line.
func checkMessage(_ error: any Error) {
    guard !"\(error)".contains("\n") else { fatalError("an error of several lines: \(error)") }
}
