import PieceModel
import Tokenizers
import UnicodeText

/// What can be told of rows by their pieces alone.
struct RowContent {
    private let vocabulary: Vocabulary

    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// The rows whose pieces hold no character of `scripts`.
    func rows(_ rows: [PieceID], without scripts: [Script]) -> [PieceID] {
        rows.filter { id in !scalars(id).contains { scripts.contains($0.script) } }
    }

    /// The rows whose pieces hold a character of `scripts` beside a letter of another.
    func rows(_ rows: [PieceID], mixing scripts: [Script]) -> [PieceID] {
        rows.filter { id in
            let found = scalars(id).map(\.script)
            return found.contains { scripts.contains($0) }
                && found.contains { $0 != .common && !scripts.contains($0) }
        }
    }

    /// The rows whose pieces hold no Chinese character by the blocks of Unicode.
    func rowsWithoutIdeographs(_ rows: [PieceID]) -> [PieceID] {
        rows.filter { id in !scalars(id).contains(where: \.isInIdeographicBlock) }
    }

    /// The rows whose pieces hold two decimal digits side by side, of whatever script.
    func digitStrings(_ rows: [PieceID]) -> [PieceID] {
        rows.filter { id in
            var wasDigit = false
            for scalar in scalars(id) {
                let isDigit = scalar.properties.numericType == .decimal
                if isDigit, wasDigit { return true }
                wasDigit = isDigit
            }
            return false
        }
    }

    /// Groups of entries whose texts NFKC makes equal and of which one at least is among `rows`; ids ascend in a group
    /// and from group to group.
    func duplicates(among rows: Set<PieceID>) -> [[PieceID]] {
        var groups: [[UInt32]: [PieceID]] = [:]
        for index in 0..<vocabulary.count {
            let id = PieceID(index)
            guard isText(vocabulary.type(of: id)) else { continue }
            groups[normalized(id), default: []].append(id)
        }
        return groups.values.filter { $0.count > 1 && $0.contains(where: rows.contains) }.sorted { $0[0] < $1[0] }
    }

    /// NFKC of the text that a piece stands for: ▁ is a space there, as is U+3000.
    private func normalized(_ id: PieceID) -> [UInt32] {
        UnicodeNormalization.nfkc(scalars(id).map { $0 == "\u{2581}" ? 0x20 : $0.value })
    }

    private func scalars(_ id: PieceID) -> String.UnicodeScalarView {
        vocabulary.text(of: id).unicodeScalars
    }
}

/// Whether entries of a type stand for the text that they are named by.
func isText(_ type: Vocabulary.PieceType) -> Bool {
    type == .normal || type == .userDefined
}
