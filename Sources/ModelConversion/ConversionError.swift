public import FileIO

/// Why a model cannot be turned into another format, as facts.
public enum ConversionError: BadDataError, Equatable {
    /// Something that the other format, or this program, has no words for.
    case unsupported(path: String, what: String)
    case missingKey(path: String, key: String, expected: String)
    case noTensor(path: String, tensor: String)
    case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
    case unexpectedTensor(path: String, tensor: String)
    /// A number that the type cannot hold: not finite, or too large.
    case outOfRange(path: String, tensor: String, type: String)
    /// NaN or infinity where the format has no use for it.
    case notFinite(path: String, tensor: String)
    /// A type of numbers that the other format keeps no matrices in, so that one must be chosen.
    case typeNeeded(path: String, tensor: String, type: String)
    /// An id of a token that the model has no row for.
    case noRow(path: String, id: Int, rows: Int)
    case noVocabulary(path: String)

    public var description: String {
        switch self {
        case .unsupported(let path, let what):
            "\(path): has \(what), which cannot be converted; use a model of the LLaMA family without it"
        case .missingKey(let path, let key, let expected):
            "\(path): the key \(key) should be \(expected); mend the file or what wrote it"
        case .noTensor(let path, let tensor):
            "\(path): holds no tensor \(tensor); check that this is a whole model of the LLaMA family"
        case .wrongShape(let path, let tensor, let found, let expected):
            "\(path): tensor \(tensor) has shape \(found), but the model's sizes call for \(expected); "
                + "fetch the model again"
        case .unexpectedTensor(let path, let tensor):
            "\(path): holds the tensor \(tensor), which no model of the LLaMA family has; "
                + "check which model this is"
        case .outOfRange(let path, let tensor, let type):
            "\(path): tensor \(tensor) holds numbers that \(type) cannot hold (NaN, infinity or too large); "
                + "use bf16 or f32, or a sound checkpoint"
        case .notFinite(let path, let tensor):
            "\(path): tensor \(tensor) holds numbers that are not finite (NaN or infinity); fetch the model again"
        case .typeNeeded(let path, let tensor, let type):
            "\(path): tensor \(tensor) is of type \(type), which has no counterpart in GGUF; "
                + "say with --type what the matrices become, such as f32"
        case .noRow(let path, let id, let rows):
            "\(path): has an entry \(id), but the model has \(rows) rows; give it more with `kuoci resize`"
        case .noVocabulary(let path):
            "\(path): holds neither tokenizer.model nor tokenizer.json; copy the model's tokenizer there"
        }
    }
}
