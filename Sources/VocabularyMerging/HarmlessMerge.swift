public import PieceModel
import Tokenizers
public import UnicodeText

/// What a merge without harm is to add, besides the pieces of the addition.
public struct HarmlessOptions: Sendable {
    /// Each new piece holds a character of these writing systems: texts without such characters keep their ids.
    public var scripts: [Script] = [.han]
    /// Words to add, with what they need.
    public var words: [String] = []
    /// Characters to add, as far as they are of the scripts.
    public var characters: [UInt32] = []
    /// Names of control pieces that will follow those of the merge, such as `<pad>`: no new piece holds one.
    public var controlNames: [String] = []
    /// The number of entries of the result; nil for all that can be added.
    public var size: Int?
    /// Texts by which the best are chosen where there are more than `size`; without them the first are taken.
    public var corpus: [String] = []

    public init() {}

    /// The texts of the pieces that are added whatever the size: words, with ▁ for spaces, and characters.
    public var requiredTexts: [String] {
        words.map { $0.replacing(" ", with: "▁") }
            + characters.compactMap { Unicode.Scalar($0).map { String($0) } }
    }
}

extension VocabularyMerge {
    /// A base with the pieces of another vocabulary below its own, such that texts without their characters keep their ids.
    ///
    /// The new scores fall strictly and begin below the base's lowest. So the base's own merges come first in every text,
    /// each new piece can be reached and is always made of the same two parts; since then no two merges of equal rank ever
    /// overlap, SentencePiece, llama.cpp and Hugging Face's tokenizers agree. Words come first, then the addition in its
    /// own order, then the characters; each is preceded by the bridges it needs.
    ///
    /// - Throws: `MergeError` if the base cannot be extended so or the size cannot be reached; `FileError`.
    public init(base: SentencePieceModel, addition: SentencePieceModel, harmlessly options: HarmlessOptions) throws {
        try Self.check(base, size: options.size)
        guard base.hasRoomBelow else { throw MergeError.noRoomBelow(path: base.path, score: base.lowestMergeScore) }
        var maker = try HarmlessMaker(base: base, addition: addition, options: options)
        var kept = try maker.make()
        // What normalization or special pieces keep text from becoming shows in the finished tokenizer only.
        while case let unreached = try maker.unreached(kept), !unreached.isEmpty {
            maker.blocked.formUnion(unreached)
            kept = try maker.make()
        }
        let model = base.extended(by: kept.map(\.text))
        try model.validate()
        self.init(
            model: model, added: kept.count, shared: maker.shared, dropped: maker.dropped,
            bridges: kept.count { $0.role == .bridge }, foreign: maker.foreign, unreachable: maker.unreachable,
            wordsLeftOut: maker.wordsLeftOut, charactersLeftOut: maker.charactersLeftOut)
    }
}

/// Makes the list of new pieces, again and again as pieces turn out not to be reached.
private struct HarmlessMaker {
    let base: SentencePieceModel
    let options: HarmlessOptions
    let scripts: ScriptSet
    let additions: [[UInt8]]
    /// The words, then the characters.
    let required: [[UInt8]]
    let reserved: ReservedNames
    let normalization: PieceNormalization
    /// Of the addition.
    let path: String
    var blocked: Set<[UInt8]> = []
    /// See `VocabularyMerge`.
    var shared = 0
    var dropped = 0
    var foreign = 0
    var unreachable = 0
    var wordsLeftOut: [String] = []
    var charactersLeftOut: [String] = []

    init(base: SentencePieceModel, addition: SentencePieceModel, options: HarmlessOptions) throws {
        self.base = base
        self.options = options
        scripts = ScriptSet(options.scripts)
        additions = addition.pieces.filter { $0.type == .normal || $0.type == .userDefined }.map {
            Array($0.piece.utf8)
        }
        required = options.requiredTexts.map { Array($0.utf8) }
        reserved = ReservedNames(base, and: options.controlNames)
        normalization = try PieceNormalization(base)
        path = addition.path
    }

    /// The pieces to add, in order.
    mutating func make() throws -> [NewPieces.Entry] {
        (shared, foreign, unreachable, wordsLeftOut, charactersLeftOut) = (0, 0, 0, [], [])
        var pieces = NewPieces(base: base, scripts: scripts, reserved: reserved, blocked: blocked)
        let (words, characters) = (required.prefix(options.words.count), required.dropFirst(options.words.count))
        for text in required where pieces.isOfScripts(text) { pieces.announce(text, as: .required) }
        for text in additions where pieces.isOfScripts(text) { pieces.announce(text, as: .optional) }
        for text in words where !pieces.isInBase(text) && !pieces.add(text) {
            wordsLeftOut.append(String(decoding: text, as: UTF8.self))
        }
        for text in additions { count(text, pieces.isInBase(text), pieces.isOfScripts(text)) { pieces.add(text) } }
        for text in characters where pieces.isOfScripts(text) && !pieces.add(text) {
            charactersLeftOut.append(String(decoding: text, as: UTF8.self))
        }
        let kept = try select(pieces.entries)
        dropped = pieces.entries.indices.count { pieces.entries[$0].role == .optional && !kept[$0] }
        return pieces.entries.indices.filter { kept[$0] }.map { pieces.entries[$0] }
    }

    private mutating func count(_ text: [UInt8], _ isInBase: Bool, _ isOfScripts: Bool, adding add: () -> Bool) {
        if isInBase {
            shared += 1
        } else if !isOfScripts {
            foreign += 1
        } else if !add() {
            unreachable += 1
        }
    }

    /// Which of the pieces to keep.
    private func select(_ entries: [NewPieces.Entry]) throws -> [Bool] {
        var selection = PieceSelection(entries)
        selection.keepRequired()
        let room = options.size.map { $0 - base.pieces.count } ?? .max
        if selection.count > room {
            throw MergeError.sizeBelowRequired(
                size: base.pieces.count + room, needed: base.pieces.count + selection.count)
        }
        let optional = entries.indices.filter { entries[$0].role == .optional }
        if options.size == nil || options.corpus.isEmpty {
            selection.keep(optional, room: room)
        } else {
            let savings = try savings(of: entries)
            selection.keep(optional.sorted { (-savings[$0], $0) < (-savings[$1], $1) }, room: room)
        }
        if let size = options.size, selection.count < room {
            throw MergeError.tooFewPieces(
                size: size, path: path, possible: base.pieces.count + selection.count)
        }
        return selection.isKept
    }

    /// The tokens that each piece saves on the corpus, if all are there.
    ///
    /// Joining two saves one, and so often as a piece is there its parts were made: what is made of a piece counts for it.
    /// A character that the base spells in bytes saves all of these but one.
    private func savings(of entries: [NewPieces.Entry]) throws -> [Int] {
        let model = base.extended(by: entries.map(\.text))
        let use = try PieceUse(of: Tokenizer(model), onLinesOf: options.corpus)
        var made = Array(use.counts[base.pieces.count...])
        for index in entries.indices.reversed() {
            for part in entries[index].parts { made[part] += made[index] }
        }
        return entries.indices.map { index in
            let isCharacter = characterStarts(of: entries[index].text).count == 2
            return made[index] * (isCharacter && base.hasByteFallback ? max(entries[index].text.count - 1, 1) : 1)
        }
    }

    /// The texts of those pieces that text does not become.
    func unreached(_ entries: [NewPieces.Entry]) throws -> [[UInt8]] {
        let tokenizer = try Tokenizer(base.extended(by: entries.map(\.text)).withoutNormalization)
        return entries.indices.filter { index in
            let ids = entries[index].text.withUnsafeBufferPointer { tokenizer.encode(utf8: $0) }
            return ids != [PieceID(base.pieces.count + index)] || normalization.takesAway(entries[index].text)
        }.map { entries[$0].text }
    }
}
