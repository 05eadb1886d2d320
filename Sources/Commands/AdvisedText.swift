import Corpora
import FileIO
import Glibc

/// The texts that `kuoci advise` is asked about, in two parts: what pieces are learned from, and what they are measured on.
struct AdvisedText {
    /// One text in ten is measured on.
    static let heldOut = HoldOut(share: 0.1)

    let learnedPath: String
    let measuredPath: String
    /// Lines that are not empty, those left out among them.
    private(set) var texts = 0
    private(set) var bytes = 0
    /// Bytes of the lines that were taken.
    private(set) var takenBytes = 0
    private(set) var takenTexts = 0

    /// Divides the lines of files over two files in a directory, each by the hash of its bytes, so that a line and its
    /// repetitions are on one side. Of more than `limit` bytes it takes lines from all over the text, about so many bytes.
    ///
    /// - Throws: `FileError`, or `CommandError.tooLittleText` if one side is empty.
    init(_ paths: [String], limit: Int, in directory: String) throws {
        (learnedPath, measuredPath) = (directory + "/learned.txt", directory + "/measured.txt")
        let sample = HoldOut(share: min(1, Double(limit) / Double(try Self.size(of: paths))))
        var learned = try OutputFile(learnedPath)
        var measured = try OutputFile(measuredPath)
        var measuredTexts = 0
        for path in paths {
            try forEachLine(of: path) { line in
                if line.isEmpty { return }
                texts += 1
                bytes += line.count
                // A line of its own number, not of its bytes: the choice must not be that of the part held out.
                if sample.share < 1, !sample.takes(Array("\(texts)".utf8)) { return }
                takenTexts += 1
                takenBytes += line.count
                if Self.heldOut.takes(Array(line)) {
                    measuredTexts += 1
                    try measured.write(line)
                    try measured.write("\n")
                } else {
                    try learned.write(line)
                    try learned.write("\n")
                }
            }
        }
        if measuredTexts == 0 || measuredTexts == takenTexts {
            throw CommandError.tooLittleText(path: paths.joined(separator: ", "), texts: takenTexts)
        }
        try learned.commit()
        try measured.commit()
    }

    /// Bytes of the files as they lie there, of packed ones too.
    private static func size(of paths: [String]) throws -> Int {
        try paths.reduce(0) { sum, path in
            var information = stat()
            guard stat(path, &information) == 0 else { throw FileError.missing(path: path) }
            return sum + max(0, Int(information.st_size))
        }
    }
}
