/// What is done to the pieces of a text after segmentation, in the order given.
///
///     tokenizer.encode("你好", options: [.begin, .end])
public struct EncodingOptions: Sendable, Equatable, ExpressibleByArrayLiteral {
    public enum Step: String, Sendable, CaseIterable {
        /// Puts `<s>` before the first piece.
        case begin = "bos"
        /// Puts `</s>` after the last piece.
        case end = "eos"
        /// Turns the order of the pieces round, with what was put before and after so far.
        case reverse
        /// Writes unknown pieces as `<unk>` where pieces are written as text.
        case nameUnknown = "unk_piece"
    }

    public var steps: [Step]

    public init(_ steps: [Step] = []) {
        self.steps = steps
    }

    public init(arrayLiteral steps: Step...) {
        self.steps = steps
    }

    /// Reads spm_encode's way to write them, such as `reverse:bos:eos`; `unk` stands for `unk_piece`.
    ///
    /// - Throws: `TokenizerError.unknownOption` for another word, and `TokenizerError.missingPiece` if the model has no
    ///   `<s>` or `</s>` that is asked for.
    public init(_ text: String, for tokenizer: Tokenizer) throws(TokenizerError) {
        var steps: [Step] = []
        for word in text.isEmpty ? [] : text.split(separator: ":", omittingEmptySubsequences: false) {
            guard let step = word == "unk" ? .nameUnknown : Step(rawValue: String(word)) else {
                throw .unknownOption(String(word))
            }
            if step == .begin, tokenizer.beginID == nil { throw .missingPiece(option: "bos") }
            if step == .end, tokenizer.endID == nil { throw .missingPiece(option: "eos") }
            steps.append(step)
        }
        self.steps = steps
    }

    var namesUnknown: Bool { steps.contains(.nameUnknown) }
}
