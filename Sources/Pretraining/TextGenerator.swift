import Checkpoints
import Corpora
public import LlamaModels
import Safetensors
public import Torch

/// A checkpoint, with an adapter if one is named, ready to write texts.
public final class TextGenerator {
    private let model: LlamaModel
    private let tokenizer: TrainingTokenizer

    /// - Throws: errors that name the file at fault: model, adapter or tokenizer.
    public init(
        model path: String, adapter: String?, tokenizer: TrainingTokenizer, threads: Int,
        computation: Computation = .standard
    ) throws {
        try TorchRuntime.prepare(threads: threads, computation)
        model = try LlamaModel(directory: path, computation: computation)
        self.tokenizer = tokenizer
        try tokenizer.check(model, path: path)
        if let adapter { try apply(adapter: adapter, to: model, of: path) }
    }

    /// `LlamaModel.generate` with the tokenizer.
    public func generate(
        _ prompts: [String], _ options: GenerationOptions, observe: (TextUpdate) throws -> Void
    ) throws {
        try model.generate(prompts, options, tokenizer: tokenizer, observe: observe)
    }
}

/// The choices of one text, for a comparison elsewhere.
public struct GenerationRecord {
    private var logits: [Float] = []
    private var probabilities: [Float] = []
    private var ids: [Int64] = []

    public init() {}

    public mutating func append(_ token: GeneratedToken) {
        var dense = [Float](repeating: 0, count: token.logits.count)
        for (id, probability) in zip(token.distribution.ids, token.distribution.probabilities) {
            dense[Int(id)] = Float(probability)
        }
        logits += token.logits
        probabilities += dense
        ids.append(Int64(token.id))
    }

    /// Writes `ids` [S], and `logits` and `probabilities` [S, V] before each of them.
    public func write(to path: String) throws {
        let rows = ids.count
        let width = rows == 0 ? 0 : logits.count / rows
        try writeTensors(
            path,
            [
                ("ids", try Tensor(ids: ids, shape: [rows])),
                ("logits", try Tensor(logits, shape: [rows, width])),
                ("probabilities", try Tensor(probabilities, shape: [rows, width])),
            ])
    }
}

/// The prompts in a file: a line of text each, or the `text` of a line of JSON; blank lines are passed over.
///
/// - Throws: `GenerationError.noPrompts`, and `CorpusError` with path and line for what is no text.
public func readPrompts(_ path: String) throws -> [String] {
    var prompts: [String] = []
    try forEachDocument(of: path) { prompts.append(String(decoding: $0, as: UTF8.self)) }
    if prompts.isEmpty { throw GenerationError.noPrompts(path: path) }
    return prompts
}
