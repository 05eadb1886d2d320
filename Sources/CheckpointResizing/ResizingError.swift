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
    /// The new tokenizer lacks entries of the old one, and nothing says which.
    case fewerEntries(tokenizer: String, entries: Int, model: String, old: Int)
    /// The map is one between other tokenizers; `side` is "old" or "new".
    case mapDisagrees(side: String, mapped: Int, found: Int, path: String)
    /// An id of a config that the map gives no new one.
    case droppedID(path: String, key: String, id: Int)
    case tooManyRows(entries: Int, multiple: Int)
    /// What was asked for only makes sense where all new rows come after all old ones.
    case notAppended(directory: String)
    case notAnExtension(tokenizer: String, id: Int, old: String, new: String)
    case noOldTokenizer(directory: String, initialization: RowInitialization)
    /// `neighbours` has nothing to learn from.
    case noTexts
    /// One row serves both sides, but they are to start in different ways.
    case tiedButTwoStarts(directory: String)
    case noTokenizer(path: String)
    /// A NaN or an infinity among the old rows.
    case notFinite(path: String, tensor: String)
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
        case .fewerEntries(let tokenizer, let entries, let model, let old):
            "\(tokenizer): has \(entries) entries, fewer than the \(old) of \(model); give the merged tokenizer, or with "
                + "--id-map the id-map.json that `kuoci merge --prune` wrote"
        case .mapDisagrees(let side, let mapped, let found, let path):
            "the id map: is for \(mapped) \(side) entries, but \(path) has \(found); give the id-map.json that was written "
                + "with the new tokenizer"
        case .droppedID(let path, let key, let id):
            "\(path): \(key) is \(id), which the id map drops; keep that entry, or change the key"
        case .tooManyRows(let entries, let multiple):
            "\(entries) entries padded to a multiple of \(multiple) are too many rows; give a smaller multiple"
        case .notAppended(let directory):
            "\(directory): new entries take the places of padding rows; resize it first and compare with that"
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
        }
    }
}
