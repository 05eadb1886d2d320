public import FileIO

/// Why a checkpoint's vocabulary cannot be resized, as facts.
public enum ResizingError: BadDataError, Equatable {
    /// The tokenizer has no more entries than the embedding has rows.
    case nothingToAdd(tokenizer: String, entries: Int, model: String, rows: Int)
    /// `vocab_size` and the embedding disagree.
    case rowsDisagree(path: String, tensor: String, rows: Int, vocabularySize: Int)
    case headDisagrees(path: String, embedding: [Int], head: [Int])
    case noHead(directory: String)
    /// The config ties input and output, but the file holds two different tensors.
    case tiedButDifferent(directory: String)
    /// The model's own tokenizer has another number of entries than the embedding has rows.
    case oldTokenizerDisagrees(path: String, entries: Int, rows: Int)
    case notAnExtension(tokenizer: String, id: Int, old: String, new: String)
    case noOldTokenizer(directory: String, initialization: RowInitialization)
    /// `neighbours` has nothing to learn from.
    case noTexts
    /// One row serves both sides, but they are to start in different ways.
    case tiedButTwoStarts(directory: String)
    case noTokenizer(path: String)
    /// A NaN or an infinity among the old rows.
    case notFinite(path: String, tensor: String)
    /// The result is not what was asked for; a fault of ours or of the disk.
    case verificationFailed(path: String, tensor: String)
}

extension ResizingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .nothingToAdd(let tokenizer, let entries, let model, let rows):
            "\(tokenizer): has \(entries) entries, but \(model) already has \(rows) rows; give the merged tokenizer"
        case .rowsDisagree(let path, let tensor, let rows, let vocabularySize):
            "\(path): vocab_size is \(vocabularySize), but \(tensor) has \(rows) rows; correct vocab_size"
        case .headDisagrees(let path, let embedding, let head):
            "\(path): lm_head.weight has shape \(head), but model.embed_tokens.weight has \(embedding); "
                + "fetch the checkpoint again"
        case .noHead(let directory):
            "\(directory): holds no lm_head.weight, and config.json does not say that the embedding takes its place; "
                + "set tie_word_embeddings to true if it does"
        case .tiedButDifferent(let directory):
            "\(directory): tie_word_embeddings is true in config.json, but lm_head.weight differs from "
                + "model.embed_tokens.weight; set it to false"
        case .oldTokenizerDisagrees(let path, let entries, let rows):
            "\(path): has \(entries) entries, but the model has \(rows) rows, so new pieces would not get new rows; "
                + "give a checkpoint with one row for each entry"
        case .notAnExtension(let tokenizer, let id, let old, let new):
            "\(tokenizer): entry \(id) is \"\(new)\", but in the model's own tokenizer it is \"\(old)\"; "
                + "merge the new pieces into that tokenizer"
        case .noOldTokenizer(let directory, let initialization):
            "\(directory): has no tokenizer.model, which \(initialization.rawValue) needs; copy it there, or use "
                + "--init mean"
        case .noTexts: "new rows cannot start from neighbours without texts to learn them from; give --init-text"
        case .tiedButTwoStarts(let directory):
            "\(directory): tie_word_embeddings is true in config.json, so that one row serves input and head; "
                + "give --init alone"
        case .noTokenizer(let path): "\(path): holds no tokenizer.model; name a SentencePiece model or its directory"
        case .notFinite(let path, let tensor):
            "\(path): \(tensor) holds NaN or infinity, from which no new row can start; use a sound checkpoint"
        case .verificationFailed(let path, let tensor):
            "\(path): \(tensor) did not come out as it should; check the disk and try again"
        }
    }
}
