import Foundation
import PieceModel

/// How segmentations are drawn.
public struct SamplingOptions: Sendable, Equatable {
    /// Unigram: draw among so many best segmentations, or among all if negative; 0 and 1 take the best. Not used
    /// with BPE. For n-best lists, how many are wanted.
    public var candidates: Int
    /// Unigram: the larger, the likelier are segmentations of a high score. BPE: the probability of skipping a merge.
    public var alpha: Float
    /// The generator's seed; each line has numbers of its own.
    public var seed: UInt64

    public init(candidates: Int = 10, alpha: Float = 0.5, seed: UInt64 = 0) {
        self.candidates = candidates
        self.alpha = alpha
        self.seed = seed
    }
}

/// A segmentation and the sum of its pieces' scores.
public struct ScoredEncoding: Sendable, Equatable {
    public var pieces: [EncodedSpan]
    public var score: Float
}

extension Tokenizer {
    /// More segmentations than sentencepiece gives.
    public static let mostCandidates = 512

    /// The best segmentations of a text, best first; fewer if the text has fewer. Unigram models only.
    ///
    /// With a count of one the score is zero, as in sentencepiece.
    public func nbest(_ text: String, count: Int, options: EncodingOptions = []) throws(TokenizerError)
        -> [ScoredEncoding]
    {
        try nbest(utf8: Array(text.utf8), count: count, options: options)
    }

    package func nbest(
        utf8 bytes: some Collection<UInt8>, count: Int, options: EncodingOptions
    ) throws(TokenizerError) -> [ScoredEncoding] {
        guard case .unigram(let segmenter) = segmenter else { throw unavailable("an n-best list") }
        try check(candidates: count)
        let bytes = Array(bytes)
        return scratches.withScratch { scratch in
            bytes.withUnsafeBufferPointer { normalizer.normalizeWithOffsets($0, into: scratch) }
            let found: [(path: [Lattice.Node], score: Float)]
            if scratch.text.count == 0 {
                found = [([], 0)]
            } else if count <= 1 {
                segmenter.segment(scratch)
                return [ScoredEncoding(pieces: finish(scratch, options, bytes.count), score: 0)]
            } else {
                var lattice = segmenter.lattice(scratch)
                let paths = lattice.bestPaths(count)
                found = paths.map { path, score in (path.map { lattice.nodes[$0] }, score) }
            }
            return found.map { path, score in
                segmenter.take(path, scratch)
                return ScoredEncoding(pieces: finish(scratch, options, bytes.count), score: score)
            }
        }
    }

    /// A segmentation drawn at random: with a unigram model by score, with a BPE model by skipping merges
    /// (BPE-dropout).
    ///
    /// The distribution is sentencepiece's; its random numbers cannot be had again, since each of its processes seeds
    /// them anew. The same generator gives the same segmentation here.
    public func sample(
        _ text: String, _ sampling: SamplingOptions = SamplingOptions(),
        using generator: inout some RandomNumberGenerator, options: EncodingOptions = []
    ) throws(TokenizerError) -> [EncodedSpan] {
        try sample(utf8: Array(text.utf8), sampling, using: &generator, options: options)
    }

    package func sample(
        utf8 bytes: some Collection<UInt8>, _ sampling: SamplingOptions,
        using generator: inout some RandomNumberGenerator, options: EncodingOptions
    ) throws(TokenizerError) -> [EncodedSpan] {
        guard sampling.alpha.isFinite, sampling.alpha >= 0 else { throw .badSmoothing(sampling.alpha) }
        try check(candidates: sampling.candidates)
        let bytes = Array(bytes)
        switch segmenter {
        case .unigram where sampling.candidates > 1:
            let best = try nbest(utf8: bytes, count: sampling.candidates, options: options)
            return best[draw(weights(of: best, sampling), using: &generator)].pieces
        case .unigram(let segmenter) where sampling.candidates < 0:
            return onScratch(bytes, options) { scratch in
                let lattice = segmenter.lattice(scratch)
                let path = lattice.samplePath(smoothing: sampling.alpha, using: &generator)
                segmenter.take(path.map { lattice.nodes[$0] }, scratch)
            }
        case .unigram(let segmenter): return onScratch(bytes, options) { segmenter.segment($0) }
        case .bpe(let segmenter):
            return onScratch(bytes, options) { scratch in
                segmenter.sample(scratch, dropout: Double(sampling.alpha), using: &generator)
            }
        case .character, .word: throw unavailable("sampling")
        }
    }

    /// exp(alpha · score) over the sum of all.
    private func weights(of best: [ScoredEncoding], _ sampling: SamplingOptions) -> [Double] {
        let logarithms = best.map { Double(sampling.alpha * $0.score) }
        let highest = logarithms.max() ?? 0
        return logarithms.map { exp($0 - highest) }
    }

    private func onScratch(
        _ bytes: [UInt8], _ options: EncodingOptions, _ segment: (EncodingScratch) -> Void
    ) -> [EncodedSpan] {
        scratches.withScratch { scratch in
            bytes.withUnsafeBufferPointer { normalizer.normalizeWithOffsets($0, into: scratch) }
            if scratch.text.count == 0 { segmentText(scratch) } else { segment(scratch) }
            return finish(scratch, options, bytes.count)
        }
    }

    private func finish(_ scratch: EncodingScratch, _ options: EncodingOptions, _ length: Int) -> [EncodedSpan] {
        apply(options, to: pieces(of: scratch, options), inputLength: length)
    }

    private func check(candidates: Int) throws(TokenizerError) {
        if candidates > Self.mostCandidates {
            throw .tooManyCandidates(asked: candidates, limit: Self.mostCandidates)
        }
    }

    private func unavailable(_ what: String) -> TokenizerError {
        .unavailable(what: what, modelType: "\(model.proto.trainerSpec.modelType)")
    }
}
