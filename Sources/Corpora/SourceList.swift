import FileIO

/// A Debian package whose documentation goes into the corpus.
public struct CorpusSource: Sendable, Equatable {
    public var package: String
    public var language: Language
    /// Parts of paths inside the package to which reading is confined, such as `html/zh-CN/`; empty for all of it.
    public var paths: [String]
    public var licence: String
    public var contents: String

    public init(package: String, language: Language, paths: [String] = [], licence: String = "", contents: String = "")
    {
        self.package = package
        self.language = language
        self.paths = paths
        self.licence = licence
        self.contents = contents
    }
}

/// Reads a list of sources: five columns between tabs (package, language, paths, licence, contents), `#` for
/// comments, `-` for all paths.
public func readSourceList(_ path: String) throws -> [CorpusSource] {
    var sources: [CorpusSource] = []
    var reader = try LineReader(path)
    while let line = try reader.withNextLine({ String(decoding: $0, as: UTF8.self) }) {
        if line.isEmpty || line.hasPrefix("#") { continue }
        func failure(_ reason: String) -> CorpusError {
            .badSourceList(path: path, line: reader.lineNumber, reason: reason)
        }
        let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard columns.count == 5 else { throw failure("\(columns.count) columns instead of 5") }
        guard isPackageName(columns[0]) else { throw failure("\"\(columns[0])\" is no name of a package") }
        guard let language = Language(rawValue: columns[1]) else {
            throw failure("\"\(columns[1])\" is neither zh nor en")
        }
        let paths = columns[2] == "-" ? [] : columns[2].split(separator: ",").map(String.init)
        sources.append(
            CorpusSource(
                package: columns[0], language: language, paths: paths, licence: columns[3], contents: columns[4]))
    }
    return sources
}

/// Debian Policy 5.6.7: at least two of a-z, 0-9, `+`, `-`, `.`, beginning with a letter or digit.
private func isPackageName(_ name: String) -> Bool {
    let isAlphanumeric = { (byte: UInt8) in (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
    guard name.utf8.count >= 2, let first = name.utf8.first, isAlphanumeric(first) else { return false }
    return name.utf8.allSatisfy { isAlphanumeric($0) || "+-.".utf8.contains($0) }
}
