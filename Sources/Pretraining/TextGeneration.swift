public import LlamaModels
public import OrderedJSON

/// A text that a model wrote.
public struct GeneratedText: Sendable, Equatable {
    public var prompt: String
    /// Counts the texts of one prompt.
    public var sample: Int
    /// What follows the prompt.
    public var text: String
    /// The ids of what follows the prompt, an end piece included.
    public var ids: [Int32]
    public var promptTokens: Int
    public var end: GenerationEnd

    public var json: JSONValue {
        [
            "prompt": .string(prompt), "sample": .integer(sample), "text": .string(text),
            "ids": .array(ids.map { .integer(Int($0)) }), "prompt_tokens": .integer(promptTokens),
            "end": .string(end.rawValue),
        ]
    }
}

/// What is new in one of the texts that are being written.
public struct TextUpdate: Sendable {
    /// The number of the text: samples of the first prompt, of the second, and so on.
    public let number: Int
    /// Whole characters that follow what came before; often none.
    public let text: String
    public let token: GeneratedToken
    /// The whole text, with its last update.
    public let finished: GeneratedText?
}

extension LlamaModel {
    /// Goes on from each prompt, as `generate` does with ids; the begin piece, if the tokenizer has one, goes in front.
    ///
    /// The texts are those of the tokenizer's own decoding: without the prompt, but with the space between it and a new
    /// word.
    /// - Parameter observe: Told of each token; what it throws ends everything.
    public func generate(
        _ prompts: [String], _ options: GenerationOptions, tokenizer: TrainingTokenizer,
        observe: (TextUpdate) throws -> Void
    ) throws {
        let begin = tokenizer.beginID.map { [$0] } ?? []
        let ids = try prompts.map { begin + (try tokenizer.encode(Array($0.utf8))) }
        var open: [Int: OpenText] = [:]
        try generate(ids, options, endID: tokenizer.endID, vocabulary: tokenizer.pieceCount) { token in
            let (prompt, sample) = token.sequence.quotientAndRemainder(dividingBy: options.samples)
            var text = try open.removeValue(forKey: token.sequence) ?? OpenText(tokenizer.decoder(ids[prompt]))
            let new = try text.append(token)
            let finished = token.end.map { end in
                GeneratedText(
                    prompt: prompts[prompt], sample: sample, text: text.text, ids: text.ids,
                    promptTokens: ids[prompt].count, end: end)
            }
            if finished == nil { open[token.sequence] = text }
            try observe(TextUpdate(number: token.sequence, text: new, token: token, finished: finished))
        }
    }
}

/// A text that is not finished.
private struct OpenText {
    private(set) var text = ""
    private(set) var ids: [Int32] = []
    private var decoder: any TextDecoder

    init(_ decoder: any TextDecoder) {
        self.decoder = decoder
    }

    /// Returns what the token adds to the text.
    mutating func append(_ token: GeneratedToken) throws -> String {
        var new = try decoder.append(token.id)
        if token.end != nil { new += decoder.rest() }
        ids.append(token.id)
        text += new
        return new
    }
}
