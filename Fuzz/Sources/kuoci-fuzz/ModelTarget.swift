import PieceModel
import Tokenizers

/// Texts that walk through normalization, spaces, scripts, fallback bytes and broken UTF-8.
let probes: [[UInt8]] = [
    Array("Hello  world. 12345".utf8), Array("扩词：中文分词，ＡＢＣ　①ﬁ。".utf8), Array(" \t\u{3000}▁<s></s><0x0A>\n".utf8),
    [0xE4, 0xB8, 0x61, 0xFF, 0xC3, 0x28, 0xF0, 0x9F, 0x98, 0x80, 0x00, 0x61],
]

/// A .model file with its charsmap: parsed, validated, built, used, written and read again.
func fuzzModel(_ bytes: UnsafeRawBufferPointer) {
    let model: SentencePieceModel
    do {
        model = try SentencePieceModel(bytes: bytes, path: "fuzz.model")
        let tokenizer = try Tokenizer(model)
        for probe in probes { exercise(tokenizer, probe) }
    } catch {
        return checkMessage(error)
    }
    guard let written = try? model.serialized() else { fatalError("a model that was read cannot be written") }
    written.withUnsafeBytes { again in
        guard (try? SentencePieceModel(bytes: again, path: "again.model")) != nil else {
            fatalError("a model that was written cannot be read")
        }
    }
}

/// Encodes and decodes, and checks what must hold for any text.
func exercise(_ tokenizer: Tokenizer, _ text: [UInt8]) {
    let ids = text.withUnsafeBytes { tokenizer.encode(utf8: $0) }
    let pieces = text.withUnsafeBufferPointer { tokenizer.encodePieces(utf8: $0) }
    guard pieces.map(\.id) == ids else { fatalError("encode and encodePieces differ") }
    let spans = text.withUnsafeBufferPointer { tokenizer.encodeWithOffsets(utf8: $0) }
    guard spans.map(\.id) == ids else { fatalError("encode and encodeWithOffsets differ") }
    var end = 0
    for span in spans {
        guard span.range.lowerBound >= end, span.range.upperBound <= text.count else {
            fatalError("the offsets \(span.range) of \(text.count) bytes come after \(end)")
        }
        end = span.range.upperBound
    }
    // A model with byte fallback may lack an unknown piece; its id is then -1.
    if ids.allSatisfy(tokenizer.vocabulary.contains) {
        guard (try? tokenizer.decode(ids)) != nil else { fatalError("ids that encode gave cannot be decoded") }
    }
    _ = tokenizer.decode(pieces: pieces.map(\.text))
    drawAndList(tokenizer, String(decoding: text.prefix(300), as: UTF8.self))
}

/// Sampling and n-best lists; a list's first is the best segmentation's equal in length of text, if not in pieces.
private func drawAndList(_ tokenizer: Tokenizer, _ text: String) {
    var generator = Steps()
    let drawn = try? tokenizer.sample(text, SamplingOptions(candidates: -1, alpha: 0.5, seed: 1), using: &generator)
    let best = try? tokenizer.nbest(text, count: 3)
    for list in [drawn ?? []] + (best ?? []).map(\.pieces) {
        guard list.allSatisfy({ $0.range.upperBound <= text.utf8.count }) else { fatalError("offsets past the text") }
    }
}

/// Numbers without chance, so that an input always does the same.
private struct Steps: RandomNumberGenerator {
    private var state: UInt64 = 0

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return state ^ state >> 31
    }
}
