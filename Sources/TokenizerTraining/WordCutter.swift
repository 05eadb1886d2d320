import PieceModel
import UnicodeText

/// How a kind of model wants its sentences cut into words, which are then counted.
struct WordCutter: Sendable {
    private enum Way {
        /// Where no piece can pass.
        case pieces(SentenceCutter)
        /// Before each ▁.
        case spaces
        /// Not at all.
        case none
    }

    private let way: Way

    /// - Precondition: unigram models are not trained on words.
    init(_ specification: Sentencepiece_TrainerSpec) {
        switch specification.modelType {
        case .bpe: way = .pieces(SentenceCutter(rules: PieceRules(specification)))
        case .word: way = .spaces
        case .char: way = .none
        case .unigram: preconditionFailure("unigram models are trained on sentences")
        }
    }

    /// Hands on the words of a normalized sentence, in order.
    func forEachWord(of sentence: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        switch way {
        case .pieces(let cutter): cutter.forEachWord(of: sentence, body)
        case .spaces: forEachSpacedWord(of: sentence, body)
        case .none: if !sentence.isEmpty { sentence.withUnsafeBufferPointer(body) }
        }
    }
}

private func forEachSpacedWord(of sentence: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    sentence.withUnsafeBufferPointer { text in
        var start = 0
        var index = 0
        while index < text.count {
            let (scalar, length) = UTF8Scalars.decode(text, at: index)
            if scalar == PieceRules.space, index > start {
                body(UnsafeBufferPointer(rebasing: text[start..<index]))
                start = index
            }
            index += length
        }
        if start < text.count { body(UnsafeBufferPointer(rebasing: text[start...])) }
    }
}
