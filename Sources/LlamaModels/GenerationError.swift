public import FileIO

/// What keeps a model from writing a text.
public enum GenerationError: BadDataError, Equatable {
    case badOption(name: String, value: String, need: String)
    case noPrompts(path: String)
    /// A prompt, counted from zero, without a single token.
    case emptyPrompt(number: Int)
    case promptTooLong(number: Int, tokens: Int, limit: Int)
    /// The model's logits are no numbers.
    case notFinite
}

extension GenerationError {
    /// Whether the caller asked for what cannot be, and no file is at fault.
    public var isAboutOption: Bool {
        if case .badOption = self { true } else { false }
    }
}

extension GenerationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badOption(let name, let value, let need): "\(name) \(value): \(need)"
        case .noPrompts(let path): "\(path): holds no prompt; write one on each line"
        case .emptyPrompt(let number):
            "prompt \(number + 1) is empty and the tokenizer has no begin piece to start from; give it some text"
        case .promptTooLong(let number, let tokens, let limit):
            "prompt \(number + 1) has \(tokens) tokens, but the context of \(limit) must leave room for one more; "
                + "shorten it"
        case .notFinite:
            "the model's logits are not finite numbers; look for NaN in its weights, or train with a lower rate"
        }
    }
}
