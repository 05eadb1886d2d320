public import FileIO

public enum TokenizerError: BadDataError, Equatable {
    case idOutOfRange(id: Int, count: Int)
    case unknownOption(String)
    /// A control piece that an option needs and the model lacks.
    case missingPiece(option: String)
    /// N-best lists and their samples need a unigram model; sampling needs a unigram or BPE model.
    case unavailable(what: String, modelType: String)
    case tooManyCandidates(asked: Int, limit: Int)
    case badSmoothing(Float)

    public var description: String {
        switch self {
        case .idOutOfRange(let id, let count):
            "id \(id) is outside the vocabulary of \(count) entries; decode with the tokenizer that gave the ids"
        case .unknownOption(let word):
            "extra option \"\(word)\" is none of bos, eos, reverse, unk, unk_piece; join those wanted by colons"
        case .missingPiece(let option):
            "the model has no control piece for the extra option \(option); leave it out or take another model"
        case .unavailable(let what, let modelType):
            "\(what) is not possible with a model of type \(modelType); use a \(what == "sampling" ? "unigram or bpe" : "unigram") model"
        case .tooManyCandidates(let asked, let limit):
            "\(asked) best segmentations are too many; ask for \(limit) at most"
        case .badSmoothing(let alpha):
            "alpha is \(alpha) where a finite number from 0 is needed"
        }
    }
}
