public import FileIO

public enum MergeError: BadDataError, Equatable {
    case baseIsNotBPE(path: String)
    case sizeBelowBase(size: Int, path: String, count: Int)
    case tooFewPieces(size: Int, path: String, possible: Int)

    public var description: String {
        switch self {
        case .baseIsNotBPE(let path):
            "\(path): the base is not a BPE model, whose merges new pieces could join; give a LLaMA-family model"
        case .sizeBelowBase(let size, let path, let count):
            "\(path): holds \(count) entries already, more than --size \(size); ask for more or leave --size out"
        case .tooFewPieces(let size, let path, let possible):
            "\(path): brings too few new pieces, the merge has \(possible) entries where --size asks for \(size); "
                + "train a larger vocabulary (kuoci train --merge-with BASE --merged-size \(size))"
        }
    }
}
