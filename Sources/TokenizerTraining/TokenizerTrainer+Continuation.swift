import Partitioning
public import PieceModel
import Tokenizers
public import UnicodeText

extension TokenizerTrainer {
    /// A vocabulary to go on from: its pieces keep ids, scores and meaning, and new ones come after them.
    public struct Continuation: Sendable {
        public var base: SentencePieceModel
        public var newPieces: Int
        /// If not empty, each new piece holds a character of one of these; texts without such characters are segmented as
        /// before.
        public var scripts: [Script]

        public init(base: SentencePieceModel, newPieces: Int, scripts: [Script] = []) {
            self.base = base
            self.newPieces = newPieces
            self.scripts = scripts
        }
    }

    /// Learns merges on top of the base's segmentation of the text.
    ///
    /// New pieces score below all of the base and fall in the order learned, so encoding makes the base's merges first
    /// and then the new ones as they were learned: each new piece can be reached. The few that cannot, since another
    /// piece takes their text apart otherwise, are left out.
    func trainContinuation(_ continuation: Continuation) throws -> SentencePieceModel {
        let base = try ContinuationBase(continuation, specification)
        let words = try base.countWords(
            TrainingCorpus(
                specification: specification, seed: unigram.randomSeed, encoding: encoding, threads: threads,
                progress: progress))
        let alphabet = try Alphabet(
            counts: words.characterCounts(), specification: specification, paths: specification.input)
        let characters = base.newCharacters(of: alphabet)
        if characters.count > continuation.newPieces {
            throw TrainingError.tooFewPiecesForCharacters(wanted: continuation.newPieces, needed: characters.count)
        }
        let segmented = try base.segment(words, newCharacters: characters)
        var trainer = try BPETrainer(
            cells: segmented.cells, symbols: segmented.symbols, merges: continuation.newPieces - characters.count,
            threads: threads)
        var pieces = characters.map(UTF8Scalars.bytes)
        while pieces.count < continuation.newPieces {
            guard try learn(from: &trainer, until: continuation.newPieces, &pieces) else { break }
            // Leaving one out can put another out of reach.
            while case let reachable = try base.reachable(pieces), reachable.count < pieces.count {
                pieces = reachable
            }
        }
        if pieces.count < continuation.newPieces, specification.hardVocabLimit {
            throw TrainingError.tooFewNewPieces(wanted: continuation.newPieces, possible: pieces.count)
        }
        return try base.extended(by: pieces)
    }

    /// Adds merges up to `count` pieces; false if there were none.
    private func learn(from trainer: inout BPETrainer, until count: Int, _ pieces: inout [[UInt8]]) throws -> Bool {
        let before = pieces.count
        while pieces.count < count, let merge = try trainer.nextMerge() {
            // A pair that occurs no longer would be a piece that no text has.
            if merge.frequency == 0 { break }
            pieces.append(merge.piece)
            if pieces.count % 100 == 0 || pieces.count == count {
                progress?(ProgressUpdate(stage: "learning merges", completed: pieces.count, total: count))
            }
        }
        return pieces.count > before
    }
}
