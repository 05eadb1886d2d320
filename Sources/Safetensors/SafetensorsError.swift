public import FileIO

/// What is wrong with a safetensors file or a set of them, as facts.
///
/// The cases from `headerTooSmall` to `metadataIncompleteBuffer` bear the reference reader's names.
public enum SafetensorsError: BadDataError, Equatable {
    /// Some other kind of file under this name.
    case foreign(path: String, kind: ForeignKind)
    case headerTooSmall(path: String, bytes: Int)
    case headerTooLarge(path: String, length: UInt64)
    case invalidHeaderLength(path: String, length: Int, fileBytes: Int)
    case invalidHeader(path: String, offset: Int)
    case invalidHeaderJSON(path: String, reason: String)
    case invalidEntry(path: String, tensor: String, reason: String)
    /// A hole, an overlap or an end before its begin.
    case invalidOffset(path: String, tensor: String, expected: Int, found: Int)
    case validationOverflow(path: String, tensor: String)
    case misalignedSlice(path: String, tensor: String)
    case tensorInvalidInfo(path: String, tensor: String, expected: Int, found: Int)
    case metadataIncompleteBuffer(path: String, expected: Int, found: Int)
    case noTensor(path: String, tensor: String)
    /// What was handed to the writer does not fit its plan.
    case planMismatch(path: String, reason: String)
    case notFloats(tensor: String, type: TensorType)

    /// Files that people mistake for safetensors.
    public enum ForeignKind: Sendable {
        case empty, gitLFSPointer, webPage, pickle, gguf
    }
}

extension SafetensorsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .foreign(let path, let kind): "\(path): \(kind.text)"
        case .headerTooSmall(let path, let bytes):
            "\(path): \(bytes) bytes cannot hold a safetensors header; fetch the file again"
        case .headerTooLarge(let path, let length):
            "\(path): byte 0 announces a header of \(length) bytes, more than the 100000000 allowed; "
                + "this is not a safetensors file"
        case .invalidHeaderLength(let path, let length, let fileBytes):
            "\(path): the header should be \(length) bytes long, but the file has only \(fileBytes); fetch it again"
        case .invalidHeader(let path, let offset):
            "\(path): the header is not UTF-8 from byte \(offset) on; fetch the file again"
        case .invalidHeaderJSON(let path, let reason): "\(path): the header is \(reason); fetch the file again"
        case .invalidEntry(let path, let tensor, let reason):
            "\(path): header entry \(quoted(tensor)): \(reason); write the file again"
        case .invalidOffset(let path, let tensor, let expected, let found):
            "\(path): tensor \(quoted(tensor)) should lie at data byte \(expected), not \(found) "
                + "(a hole or an overlap); write the file again"
        case .validationOverflow(let path, let tensor):
            "\(path): the size of tensor \(quoted(tensor)) is beyond all memory; write the file again"
        case .misalignedSlice(let path, let tensor):
            "\(path): tensor \(quoted(tensor)) does not fill whole bytes; write the file again"
        case .tensorInvalidInfo(let path, let tensor, let expected, let found):
            "\(path): tensor \(quoted(tensor)) needs \(expected) bytes by its shape but has \(found); "
                + "write the file again"
        case .metadataIncompleteBuffer(let path, let expected, let found):
            "\(path): the file should be \(expected) bytes long but is \(found); fetch it again"
        case .noTensor(let path, let tensor): "\(path): holds no tensor \(quoted(tensor)); check which model this is"
        case .planMismatch(let path, let reason): "\(path): cannot be written: \(reason)"
        case .notFloats(let tensor, let type):
            "tensor \(quoted(tensor)) is of type \(type.rawValue), not F32, F16, BF16 or F64; "
                + "use a checkpoint that is not quantized"
        }
    }
}

extension SafetensorsError.ForeignKind {
    var text: String {
        switch self {
        case .empty: "is empty; fetch it again"
        case .gitLFSPointer: "is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"
        case .webPage: "is a web page, not a safetensors file; fetch it again from its download address"
        case .pickle: "is a PyTorch pickle, not a safetensors file; convert it with safetensors' save_file"
        case .gguf: "is a GGUF file, not a safetensors file; use the Hugging Face checkpoint"
        }
    }
}

extension SafetensorsError.ForeignKind {
    /// Recognizes a file by its first bytes.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
        if bytes.isEmpty {
            self = .empty
        } else if begins("version https://git-lfs") {
            self = .gitLFSPointer
        } else if begins("<!") || begins("<html") || begins("<HTML") || begins("<?xml") {
            self = .webPage
        } else if begins("PK\u{3}\u{4}") || bytes.starts(with: [0x80, 0x02]) {
            self = .pickle
        } else if begins("GGUF") {
            self = .gguf
        } else {
            return nil
        }
    }
}

/// A name from a file, fit for a one-line message: quoted, control characters escaped, cut after 80 characters.
package func quoted(_ name: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars.prefix(80) {
        text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return "\"\(text)\(name.unicodeScalars.dropFirst(80).isEmpty ? "" : "...")\""
}
