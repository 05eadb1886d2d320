import PieceModel
import Tokenizers
import UnicodeText

/// A base vocabulary as continued training sees it.
struct ContinuationBase {
    private let model: SentencePieceModel
    private let vocabulary: Vocabulary
    private let rules: PieceRules
    private let scripts: ScriptSet?
    private let specification: Sentencepiece_TrainerSpec

    /// - Throws: `TrainingError` if the base cannot be gone on from.
    init(
        _ continuation: TokenizerTrainer.Continuation, _ specification: Sentencepiece_TrainerSpec
    ) throws(TrainingError) {
        model = continuation.base
        guard model.proto.trainerSpec.modelType == .bpe else {
            throw .badBase(path: model.path, reason: "is no BPE model; merges can only be added to one")
        }
        if model.pieces.contains(where: { $0.type == .unused }) {
            throw .badBase(path: model.path, reason: "has unused pieces; remove them first")
        }
        vocabulary = Vocabulary(model)
        var specification = specification
        specification.treatWhitespaceAsSuffix = model.proto.trainerSpec.treatWhitespaceAsSuffix
        self.specification = specification
        scripts = continuation.scripts.isEmpty ? nil : ScriptSet(continuation.scripts)
        rules = PieceRules(specification, scripts: scripts)
        guard model.hasRoomBelow else {
            throw .badBase(
                path: model.path, reason: "has the score \(model.lowestMergeScore), under which there is no room")
        }
    }

    /// The words of a corpus, cut only where neither the base nor a new piece reaches across.
    func countWords(_ corpus: TrainingCorpus) throws -> WordCounts {
        let frozen = model.pieces.filter { $0.type == .userDefined }.map { Array($0.piece.utf8) }
        let normalizer = try Normalizer(
            specification: model.proto.normalizerSpec, treatsWhitespaceAsSuffix: specification.treatWhitespaceAsSuffix,
            protecting: frozen, path: model.path)
        let preparation = SentencePreparation(
            specification: specification, normalizer: normalizer, special: SpecialPieces(of: model))
        var joined: Set<UInt64> = []
        for piece in model.pieces where piece.type == .normal {
            let scalars = piece.piece.unicodeScalars
            for (left, right) in zip(scalars, scalars.dropFirst()) {
                joined.insert(SentenceCutter.pair(left.value, right.value))
            }
        }
        let cutter = SentenceCutter(rules: rules, joined: joined)
        return try WordCounts(corpus, preparation: preparation) { cutter.forEachWord(of: $0, $1) }
    }

    /// The characters of the alphabet that the base lacks, the most frequent first.
    func newCharacters(of alphabet: Alphabet) -> [UInt32] {
        alphabet.characters.map(\.scalar).filter { scalar in
            (scripts?.contains(scalar) ?? true)
                && Unicode.Scalar(scalar).map { vocabulary.id(of: String($0)) == nil } ?? false
        }
    }

    /// Segments the words with the base.
    func segment(
        _ words: consuming WordCounts, newCharacters: [UInt32]
    ) throws -> (cells: WordCells, symbols: MergeSymbols) {
        let working = try bare(adding: newCharacters.map { [$0] }.map(text))
        let scalars = charactersOfPieces(and: newCharacters)
        let numbers = CharacterNumbers(scalars)
        var pieces: [[Int32]] = []
        /// For each id its symbol; the separator's number for what merges with nothing.
        var symbolOfID = [Int32](repeating: WordCells.separator, count: working.vocabulary.count)
        for (id, piece) in working.model.pieces.enumerated() where piece.type == .normal {
            let characters = piece.piece.unicodeScalars.map { numbers[$0.value] }
            if characters.count == 1 {
                symbolOfID[id] = characters[0]
            } else {
                symbolOfID[id] = Int32(scalars.count + pieces.count)
                pieces.append(characters)
            }
        }
        let symbols = MergeSymbols(scalars: scalars, pieces: pieces, rules: rules)
        let cells = try WordCells(words) { word, cells in
            for id in working.encode(utf8: word) {
                let symbol = symbolOfID[Int(id.rawValue)]
                if symbol == WordCells.separator {
                    cells.append(symbol)
                } else {
                    WordCells.append(symbol, length: symbols.length(of: symbol), to: &cells)
                }
            }
        }
        return (cells, symbols)
    }

    private func charactersOfPieces(and newCharacters: [UInt32]) -> [UInt32] {
        var all = Set(newCharacters)
        for piece in model.pieces where piece.type == .normal { all.formUnion(piece.piece.unicodeScalars.map(\.value)) }
        return all.sorted()
    }

    private func text(_ scalars: [UInt32]) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in scalars { UTF8Scalars.append(scalar, to: &bytes) }
        return bytes
    }

    /// Those of the new pieces that their texts are encoded to.
    func reachable(_ pieces: [[UInt8]]) throws -> [[UInt8]] {
        let tokenizer = try bare(adding: pieces)
        return pieces.indices.filter { index in
            let ids = pieces[index].withUnsafeBufferPointer { tokenizer.encode(utf8: $0) }
            return ids == [PieceID(model.pieces.count + index)]
        }.map { pieces[$0] }
    }

    /// A tokenizer with more pieces that takes text as normalized already.
    private func bare(adding pieces: [[UInt8]]) throws -> Tokenizer {
        try Tokenizer(model.extended(by: pieces).withoutNormalization)
    }

    /// The base with more pieces after its own, each scored below the one before.
    func extended(by pieces: [[UInt8]]) throws -> SentencePieceModel {
        let extended = model.extended(by: pieces)
        try extended.validate()
        return extended
    }
}
