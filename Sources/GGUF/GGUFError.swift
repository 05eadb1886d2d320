public import FileIO

/// What is wrong with a GGUF file, or why one cannot be written, as facts.
public enum GGUFError: BadDataError, Equatable {
    case notGGUF(path: String, reason: String)
    /// A version, a byte order or a type of numbers that nothing here can read.
    case unsupported(path: String, what: String)
    case broken(path: String, offset: Int, reason: String)
    case noTensor(path: String, tensor: String)
    /// What was handed to the writer does not fit its plan.
    case planMismatch(path: String, reason: String)

    public var description: String {
        switch self {
        case .notGGUF(let path, let reason): "\(path): not a GGUF file (\(reason)); name a .gguf file"
        case .unsupported(let path, let what):
            "\(path): holds \(what), which cannot be read here; make the file again with a current llama.cpp, "
                + "or use what it was made of"
        case .broken(let path, let offset, let reason):
            "\(path): broken at byte \(offset): \(reason); copy the file again or mend what wrote it"
        case .noTensor(let path, let tensor): "\(path): holds no tensor \(shown(tensor)); check which model this is"
        case .planMismatch(let path, let reason): "\(path): cannot be written: \(reason)"
        }
    }
}

/// A name from a file, fit for a one-line message: quoted, control characters escaped, cut after 80 characters.
func shown(_ name: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars.prefix(80) {
        text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return "\"\(text)\(name.unicodeScalars.dropFirst(80).isEmpty ? "" : "...")\""
}
