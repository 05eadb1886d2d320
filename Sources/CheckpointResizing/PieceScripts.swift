import Tokenizers
import UnicodeText

/// The script of most of a text's letters, of the first such script if there are several; Common if it has no letters.
func dominantScript(_ text: String) -> Int32 {
    var counts: [(script: Int32, count: Int)] = []
    for scalar in text.unicodeScalars {
        let script = UnicodeScript.script(of: scalar.value)
        if script == UnicodeScript.common || script == UnicodeScript.inherited { continue }
        if let place = counts.firstIndex(where: { $0.script == script }) {
            counts[place].count += 1
        } else {
            counts.append((script, 1))
        }
    }
    // `max` would take the last of equal ones.
    return counts.reduce((UnicodeScript.common, 0)) { $1.count > $0.1 ? $1 : $0 }.0
}

/// Old entries by the script of their pieces.
struct PieceScripts {
    /// The old ids of each script that enough pieces have, in order of their first id.
    private(set) var groups: [[Int32]] = []
    private var groupOfScript: [Int32: Int] = [:]
    private let pair: TokenizerPair

    /// Rows of one script that say what such rows are like.
    static let fewestRows = 16

    init(_ pair: TokenizerPair) {
        self.pair = pair
        var scripts: [Int32] = []
        var ids: [Int32: [Int32]] = [:]
        for id in 0..<pair.oldRows where pair.isText(id, in: pair.old) {
            let script = dominantScript(pair.old.vocabulary.text(of: PieceID(id)))
            if ids[script] == nil { scripts.append(script) }
            ids[script, default: []].append(Int32(id))
        }
        for script in scripts {
            guard let members = ids[script], members.count >= Self.fewestRows else { continue }
            groupOfScript[script] = groups.count
            groups.append(members)
        }
    }

    /// The group whose script a new entry is of; nil if there is none, or the entry is no text.
    func group(of id: Int) -> Int? {
        guard pair.isText(id, in: pair.new) else { return nil }
        return groupOfScript[dominantScript(pair.new.vocabulary.text(of: PieceID(id)))]
    }
}
