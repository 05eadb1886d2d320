import FileIO
import Foundation

/// A file of documentation, by what it is written in.
enum DocumentationFile: Sendable {
    case html(String)
    case manualPage(String)
    case fortunes(String)

    /// What the path says it is; nil for what holds no running text.
    init?(path: String, inPackage relativePath: String) {
        // GNOME's help pages (Mallard) are XML whose paragraphs and titles bear HTML's names.
        if [".html", ".htm", ".xhtml", ".page"].contains(where: { path.hasSuffix($0) }) {
            self = .html(path)
        } else if relativePath.contains("/man/"), path.hasSuffix(".gz") {
            self = .manualPage(path)
        } else if relativePath.contains("/games/fortunes/"), !path.hasSuffix(".dat") {
            self = .fortunes(path)
        } else {
            return nil
        }
    }

    /// The raw paragraphs.
    func paragraphs() throws -> [[UInt8]] {
        switch self {
        case .html(let path): Corpora.paragraphs(ofHTML: try readUnpackedFile(path))
        case .manualPage(let path): Corpora.paragraphs(ofManualPage: try readUnpackedFile(path))
        case .fortunes(let path): Corpora.paragraphs(ofFortunes: try readUnpackedFile(path))
        }
    }
}

/// The files of documentation under an unpacked package, in the order of their paths' bytes.
///
/// Symbolic links are passed over: what they lead to is read under its own name.
func documentationFiles(in directory: String, within parts: [String]) throws -> [DocumentationFile] {
    guard let walk = FileManager.default.enumerator(atPath: directory) else {
        throw FileError.missing(path: directory)
    }
    var paths: [String] = []
    while let relative = walk.nextObject() as? String {
        guard walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular else { continue }
        let path = "/" + relative
        if parts.isEmpty || parts.contains(where: { path.contains($0) }) { paths.append(path) }
    }
    paths.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return paths.compactMap { DocumentationFile(path: directory + $0, inPackage: $0) }
}
