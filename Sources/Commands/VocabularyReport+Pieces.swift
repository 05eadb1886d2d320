import PieceModel
import Reports
import TokenizerMetrics
import Tokenizers

// Which pieces the texts use.

extension VocabularyReport {
    /// New pieces to list at most, and of each text the longest and the rarest.
    private static let shownPieces = 120
    private static let shownExtremes = 24

    var pieceLists: ReportPage.Section {
        var section = ReportPage.Section(id: "pieces", "Pieces")
        guard let first = texts.first else { return section }
        let uses = first.measure.counts[1].uses
        let new = newIDs
        let used = new.filter { uses[$0] > 0 }
        section.paragraphs = ["\(used.count) of \(new.count) new rows come in \(first.path)."]
        let top = used.map { (-uses[$0], $0) }.sorted { $0 < $1 }.prefix(Self.shownPieces).map(\.1)
        var lists = [list("The new ones that \(shortName(first.path)) uses most", top, uses)]
        for (path, measure) in texts {
            let uses = measure.counts[1].uses
            let longest = uses.longest(Self.shownExtremes, in: extended.vocabulary)
            lists.append(list("The longest that \(shortName(path)) uses", longest, uses))
            lists.append(list("The rarest that \(shortName(path)) uses", uses.rarest(Self.shownExtremes), uses))
        }
        section.pieceLists = lists.compactMap { $0 }
        return section
    }

    /// Nil where there are none.
    private func list(_ what: String, _ ids: [PieceID], _ uses: EntryUses) -> ReportPage.PieceList? {
        if ids.isEmpty { return nil }
        return ReportPage.PieceList("\(what), with how often:", ids.map { .init(shown($0), note: "\(uses[$0])") })
    }

    private var newIDs: [PieceID] {
        let vocabulary = extended.vocabulary
        return (0..<extended.count).map { PieceID($0) }.filter { id in
            vocabulary.type(of: id) == .normal && base.vocabulary.id(of: vocabulary.bytes(of: id)) == nil
        }
    }
}
