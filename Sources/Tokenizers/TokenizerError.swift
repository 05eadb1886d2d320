public import FileIO

public enum TokenizerError: BadDataError, Equatable {
    case idOutOfRange(id: Int, count: Int)

    public var description: String {
        switch self {
        case .idOutOfRange(let id, let count):
            "id \(id) is outside the vocabulary of \(count) entries; decode with the tokenizer that gave the ids"
        }
    }
}
