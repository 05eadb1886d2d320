import PieceModel
public import Tokenizers
public import UnicodeText

/// What is wrong with a vocabulary, and with what an extension made of its base.
///
/// The rows that are looked at are the normal pieces that the base lacks; without a base, all normal pieces.
public struct LintReport: Sendable {
    public let vocabulary: Vocabulary
    /// Entries of the base; nil without one.
    public var baseCount: Int?
    /// Ids at which the base has another piece, or one of another type.
    public var changedBaseEntries: [PieceID] = []
    /// Pieces of the base that encode to themselves there, and no longer do.
    public var brokenBaseRows: [DeadRow] = []
    /// Rows looked at that no text ever gives.
    public var deadRows: [DeadRow] = []
    /// Pieces of the base that do not encode to themselves there either.
    public var deadInBase: [DeadRow] = []
    /// The writing systems that were wanted.
    public let scripts: [Script]
    /// Rows that hold no character of them.
    public var rowsWithoutScripts: [PieceID] = []
    /// Rows that hold one beside a letter of another.
    public var rowsMixingScripts: [PieceID] = []
    /// Where Han is wanted, rows that hold no character of Unicode's blocks of CJK ideographs.
    public var rowsWithoutIdeographs: [PieceID] = []
    /// Rows with two decimal digits side by side.
    public var digitStrings: [PieceID] = []
    /// Entries that are equal after NFKC, a row looked at in each group.
    public var duplicates: [[PieceID]] = []
    /// Of the standards GB2312 and Big5, then of the CJK blocks.
    public var standards: [CharacterCoverage] = []
    public var blocks: [CharacterCoverage] = []
    /// Other files of the same directory, then those that were named; empty where there are none.
    public var agreements: [FormatAgreement] = []
    /// Nil without a corpus.
    public var corpus: CorpusUse?
    /// Rows looked at that the corpus never uses and that are not dead.
    public var unusedRows: [PieceID] = []
    public var junkCandidates: [CorpusUse.JunkCandidate] = []

    /// Rows looked at.
    public var rowCount = 0

    /// Whether something is wrong, as opposed to suspicious: entries of the base changed or broken, dead rows, files that
    /// disagree.
    public var hasErrors: Bool {
        !changedBaseEntries.isEmpty || !brokenBaseRows.isEmpty || !deadRows.isEmpty
            || agreements.contains { $0.differing > 0 }
    }

    /// - Parameters:
    ///   - base: the tokenizer that was extended.
    ///   - scripts: the writing systems that rows should have.
    ///   - corpus: text files, one text a line.
    ///   - directory: where to look for other files of the same tokenizer.
    ///   - compared: other files of the same tokenizer: tokenizer.json, GGUF or SentencePiece.
    /// - Throws: `FileError`, or what is wrong with the other files.
    public init(
        _ tokenizer: Tokenizer, base: Tokenizer? = nil, scripts: [Script] = [.han], corpus paths: [String] = [],
        directory: String? = nil, comparedWith compared: [String] = []
    ) throws {
        vocabulary = tokenizer.vocabulary
        self.scripts = scripts
        baseCount = base?.count
        let fates = try RowFates(tokenizer).deadRows()
        let rows = newRows(base)
        rowCount = rows.count
        let isNew = Set(rows)
        deadRows = fates.filter { isNew.contains($0.id) }
        if let base { try compare(with: base, fates.filter { !isNew.contains($0.id) }) }
        describe(rows, isNew)
        standards = CharacterCoverage.ofStandards(vocabulary)
        blocks = CharacterCoverage.ofBlocks(vocabulary)
        let beside = try directory.map { try FormatAgreement.files(beside: tokenizer, in: $0) } ?? []
        agreements = try (beside + compared.filter { !beside.contains($0) }).map {
            try FormatAgreement(of: tokenizer, with: $0, on: paths)
        }
        if !paths.isEmpty { try read(paths, tokenizer, rows) }
    }

    private func newRows(_ base: Tokenizer?) -> [PieceID] {
        (0..<vocabulary.count).map { PieceID($0) }.filter { id in
            vocabulary.type(of: id) == .normal && base?.vocabulary.id(of: vocabulary.bytes(of: id)) == nil
        }
    }

    private mutating func compare(with base: Tokenizer, _ fates: [DeadRow]) throws {
        let old = base.vocabulary
        changedBaseEntries = (0..<old.count).map { PieceID($0) }.filter { id in
            !vocabulary.contains(id) || vocabulary.bytes(of: id) != old.bytes(of: id)
                || vocabulary.type(of: id) != old.type(of: id)
        }
        let deadBefore = Set(try RowFates(base).deadRows().map { old.bytes(of: $0.id) })
        for row in fates {
            if deadBefore.contains(vocabulary.bytes(of: row.id)) {
                deadInBase.append(row)
            } else {
                brokenBaseRows.append(row)
            }
        }
    }

    private mutating func describe(_ rows: [PieceID], _ isNew: Set<PieceID>) {
        let content = RowContent(vocabulary)
        if !scripts.isEmpty {
            rowsWithoutScripts = content.rows(rows, without: scripts)
            rowsMixingScripts = content.rows(rows, mixing: scripts)
        }
        if scripts.contains(.han) { rowsWithoutIdeographs = content.rowsWithoutIdeographs(rows) }
        digitStrings = content.digitStrings(rows)
        duplicates = content.duplicates(among: isNew)
    }

    private mutating func read(_ paths: [String], _ tokenizer: Tokenizer, _ rows: [PieceID]) throws {
        let long = rows.filter { id in
            vocabulary.text(of: id).unicodeScalars.count { $0 != "\u{2581}" } >= CorpusUse.junkLength
        }
        let use = try CorpusUse(paths, tokenizer, watching: Set(long))
        let dead = Set(deadRows.map(\.id))
        unusedRows = rows.filter { use.counts[Int($0.rawValue)] == 0 && !dead.contains($0) }
        junkCandidates = use.junkCandidates
        corpus = use
    }
}
