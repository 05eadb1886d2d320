public import FileIO
import OrderedJSON

/// What is wrong in a tokenizer.json or GGUF file, or why a vocabulary cannot be written as one.
public enum TokenizerFormatError: BadDataError, Equatable {
    case notJSON(path: String, offset: Int, reason: String)
    /// Something else than the format needs stands at `place`, such as `model.merges[17]`.
    case malformed(path: String, place: String, reason: String)
    /// The format allows it, and nothing here can do it.
    case unsupported(path: String, place: String, what: String)
    /// The tokenizer of `path` cannot be expressed in another format.
    case inexpressible(path: String, format: String, reason: String)

    public var description: String {
        switch self {
        case .notJSON(let path, let offset, let reason):
            "\(path): not valid JSON at byte \(offset): \(reason); copy the file again"
        case .malformed(let path, let place, let reason):
            "\(path): \(place) \(reason); mend the file or what wrote it"
        case .unsupported(let path, let place, let what):
            "\(path): \(place) is \(what), which cannot be read here; use the tokenizer's .model file"
        case .inexpressible(let path, let format, let reason):
            "\(path): cannot be written as \(format): \(reason); keep to the format it is in"
        }
    }
}

/// A token for an error message: one line, in quotes, cut after 40 characters.
func shown(_ token: some Sequence<UInt8>) -> String {
    let text = String(decoding: Array(token), as: UTF8.self)
    let cut = text.count > 40 ? text.prefix(40) + "…" : text[...]
    return JSONValue.string(String(cut)).text(.line)
}
