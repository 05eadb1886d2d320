public import FileIO
import UnicodeText

/// What is wrong with a text, or with where it comes from.
public enum CorpusError: BadDataError, Equatable {
    /// A line number is counted from 1.
    case foreignEncoding(path: String, line: Int, encoding: String)
    case notJSON(path: String, line: Int, reason: String)
    case documentTooLong(path: String, line: Int, limit: Int)
    case badSourceList(path: String, line: Int, reason: String)
    case noText(paths: [String], language: String)
    case noPackages(names: [String], reason: String)
    case damagedPackage(path: String, reason: String)
}

extension CorpusError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .foreignEncoding(let path, let line, let encoding):
            "\(path): line \(line) is \(encoding), not UTF-8; convert it: iconv -f \(encoding) -t UTF-8"
        case .notJSON(let path, let line, let reason):
            "\(path): line \(line) is not a JSON object with a \"text\" string (\(reason)); mend or remove that line"
        case .documentTooLong(let path, let line, let limit):
            "\(path): line \(line) is longer than \(limit) bytes; split it into lines"
        case .badSourceList(let path, let line, let reason):
            "\(path): line \(line): \(reason); a line is package, language, paths, licence, contents between tabs"
        case .noText(let paths, let language):
            "\(paths.joined(separator: ", ")): no \(language) paragraph found; is this the right text, and in UTF-8?"
        case .noPackages(let names, let reason):
            "none of \(names.joined(separator: ", ")) can be fetched (\(reason)); run apt-get update, or name your own "
                + "text with --input"
        case .damagedPackage(let path, let reason):
            "\(path): cannot be unpacked (\(reason)); delete it and run again"
        }
    }
}
