import FileIO

/// What one source gave to one language of a corpus.
public struct CorpusPart: Sendable, Equatable {
    /// The package or file.
    public var name: String
    public var language: Language
    /// Files read; 1 for a text of the user's.
    public var files = 0
    /// Paragraphs kept, those held out among them.
    public var paragraphs = 0
    /// Bytes of UTF-8 kept, without line ends, those held out among them.
    public var bytes = 0
    public var duplicates = 0
    public var heldOut = 0
}

/// Writes `zh.txt`, `zh.heldout.txt`, `en.txt` and `en.heldout.txt`, a paragraph a line, each paragraph once.
struct CorpusWriter: ~Copyable {
    private var chinese: LanguageWriter
    private var english: LanguageWriter

    /// - Parameter sizes: about how many bytes are coming, for each language.
    init(directory: String, sizes: [Language: Int]) throws(FileError) {
        let chinese = try LanguageWriter(.chinese, directory: directory, size: sizes[.chinese, default: 0])
        let english = try LanguageWriter(.english, directory: directory, size: sizes[.english, default: 0])
        self.chinese = chinese
        self.english = english
    }

    /// Adds a paragraph to the files of its language and to the counts.
    mutating func add(_ paragraph: Paragraph, to part: inout CorpusPart) throws(FileError) {
        switch paragraph.language {
        case .chinese: try chinese.add(paragraph.text, to: &part)
        case .english: try english.add(paragraph.text, to: &part)
        }
    }

    consuming func finish() throws(FileError) {
        try chinese.finish()
        try english.finish()
    }
}

/// The two files of a language. Of earlier paragraphs it keeps eight bytes each.
private struct LanguageWriter: ~Copyable {
    private var training: OutputFile
    private var heldOut: OutputFile
    private var seen: Set<ContentHash> = []
    private let share: Double

    init(_ language: Language, directory: String, size: Int) throws(FileError) {
        let training = try OutputFile("\(directory)/\(language.rawValue).txt")
        let heldOut = try OutputFile("\(directory)/\(language.rawValue).heldout.txt")
        self.training = training
        self.heldOut = heldOut
        share = heldOutShare(ofBytes: size)
    }

    mutating func add(_ text: [UInt8], to part: inout CorpusPart) throws(FileError) {
        let hash = ContentHash(text)
        guard seen.insert(hash).inserted else {
            part.duplicates += 1
            return
        }
        part.paragraphs += 1
        part.bytes += text.count
        if heldOut.count < largestHeldOut, hash.isHeldOut(share: share) {
            part.heldOut += 1
            try heldOut.write(text)
            try heldOut.write([0x0A])
        } else {
            try training.write(text)
            try training.write([0x0A])
        }
    }

    consuming func finish() throws(FileError) {
        try training.commit()
        try heldOut.commit()
    }
}

/// Evaluation reads all of the held-out text again and again, so there is never more than half a MiB of it.
private let largestHeldOut = 512 << 10

/// Two paragraphs in a hundred; fewer of a large text, more (up to one in ten) of a small one, to have 16 KiB.
func heldOutShare(ofBytes size: Int) -> Double {
    guard size > 0 else { return 0.1 }
    let wanted = min(max(0.02 * Double(size), 16 * 1024), Double(largestHeldOut))
    return min(wanted / Double(size), 0.1)
}
