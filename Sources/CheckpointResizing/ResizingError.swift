public import FileIO
import Safetensors

/// Why a checkpoint's vocabulary cannot be resized, as facts.
public enum ResizingError: BadDataError, Equatable {
    /// The tokenizer has no more entries than the embedding has rows.
    case nothingToAdd(tokenizer: String, entries: Int, model: String, rows: Int)
    /// `vocab_size` and the embedding disagree.
    case rowsDisagree(path: String, tensor: String, rows: Int, vocabularySize: Int)
    /// A tensor has not the shape that config.json calls for.
    case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
    case headDisagrees(path: String, embedding: [Int], head: [Int])
    case noHead(directory: String)
    /// The config ties input and output, but the file holds two different tensors.
    case tiedButDifferent(directory: String)
    /// The new tokenizer lacks entries of the old one, and nothing says which.
    case fewerEntries(tokenizer: String, entries: Int, model: String, old: Int)
    /// The map is one between other tokenizers; `side` is "old" or "new", and `path` what has another number of them.
    case mapDisagrees(map: String, side: String, mapped: Int, found: Int, path: String)
    /// The row of a token that was added beside the old model would go to another entry, or go.
    case addedToken(path: String, token: String, id: Int, tokenizer: String)
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
    /// The embedding or the LM head holds no floats.
    case notFloats(path: String, tensor: String, type: String)
    /// A NaN or an infinity among the old rows.
    case notFinite(path: String, tensor: String)
    /// The same among the new ones, in the tensor's type.
    case newRowsNotFinite(path: String, tensor: String, type: String)
    /// More rows are to be the same than there are.
    case fewerRows(model: String, rows: Int, wanted: Int)
}

extension ResizingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .nothingToAdd(let tokenizer, let entries, let model, let rows):
            "\(tokenizer): has \(entries) entries, but \(model) already has \(rows) rows; give the merged tokenizer"
        case .rowsDisagree(let path, let tensor, let rows, let vocabularySize):
            "\(path): vocab_size is \(vocabularySize), but \(tensor) has \(rows) rows; correct vocab_size"
        case .wrongShape(let path, let tensor, let found, let expected):
            "\(path): \(tensor) has shape \(found), but config.json calls for \(expected); fetch the checkpoint again, or "
                + "correct config.json"
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
        case .mapDisagrees(let map, let side, let mapped, let found, let path):
            "\(map): is for \(mapped) \(side) entries, but \(path) has \(found); give the id-map.json that was written "
                + "with the new tokenizer"
        case .addedToken(let path, let token, let id, let tokenizer):
            "\(path): row \(id) is that of the added token \(quoted(token)), for which \(tokenizer) has another piece or "
                + "none; put it into tokenizer.model first (kuoci merge --pad-token), or say with --id-map where it goes"
        case .droppedID(let path, let key, let id):
            "\(path): \(key) is \(id), which the id map drops; keep that entry, or change the key"
        case .tooManyRows(let entries, let multiple):
            "\(entries) entries padded to a multiple of \(multiple) are more than \(1 << 24) rows; give a smaller multiple"
        case .notAppended(let directory):
            "\(directory): new entries would take the places of its padding rows; drop those first with `kuoci resize "
                + "--model \(directory) --tokenizer \(directory)`, and give the result"
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
        case .notFloats(let path, let tensor, let type):
            "\(path): \(tensor) is of type \(type), not F32, F16, BF16 or F64; use a checkpoint whose embedding and LM head "
                + "are not quantized"
        case .newRowsNotFinite(let path, let tensor, let type):
            "\(path): new rows of \(tensor) would hold numbers that \(type) cannot; give a smaller --init-spread"
        case .fewerRows(let model, let rows, let wanted):
            "\(model): has \(rows) rows, of which the first \(wanted) cannot be the same; give \(rows) at most"
        case .notFinite(let path, let tensor):
            "\(path): \(tensor) holds NaN or infinity, from which no new row can start; use a sound checkpoint"
        }
    }
}
