public import FileIO

/// A model that cannot be run as it is, as facts.
public enum LlamaModelError: BadDataError, Equatable {
    /// A config.json that asks for what this LLaMA does not do.
    case unsupported(path: String, key: String, value: String, expected: String)
    case wrongShape(directory: String, tensor: String, expected: [Int], found: [Int])
    case wrongType(directory: String, tensor: String, type: String)
    /// A batch whose parts do not fit each other or the model.
    case badBatch(reason: String)
    case badTraining(reason: String)
}

extension LlamaModelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unsupported(let path, let key, let value, let expected):
            "\(path): \(key) is \(value), which is not supported; it should be \(expected)"
        case .wrongShape(let directory, let tensor, let expected, let found):
            "\(directory): tensor \(tensor) has shape \(found), but config.json asks for \(expected); "
                + "take both from one checkpoint"
        case .wrongType(let directory, let tensor, let type):
            "\(directory): tensor \(tensor) holds \(type) elements; convert it to F32, BF16 or F16"
        case .badBatch(let reason): "a batch does not fit the model: \(reason)"
        case .badTraining(let reason): "the model cannot be trained so: \(reason)"
        }
    }
}
