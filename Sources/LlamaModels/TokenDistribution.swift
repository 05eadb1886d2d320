internal import Foundation

/// How tokens are chosen from a model's logits.
public struct SamplingRule: Sendable, Equatable {
    /// What probabilities' logarithms are divided by: below 1, likely tokens gain; 0, their limit: as `isGreedy`.
    public var temperature = 0.2
    /// Only so many most likely tokens are taken; 0: all.
    public var topK = 40
    /// Only the most likely tokens that together reach this probability are taken; 1: all.
    public var topP = 0.9
    /// Makes tokens of the prompt and of the text so far less likely: their logits are divided by it where positive and
    /// multiplied where negative; 1 changes nothing.
    public var repetitionPenalty = 1.3
    /// Always the most likely token, after the penalty.
    public var isGreedy = false

    public init() {}

    /// - Throws: `GenerationError.badOption`.
    public func check() throws(GenerationError) {
        func require(_ condition: Bool, _ name: String, _ value: some CustomStringConvertible, _ need: String)
            throws(GenerationError)
        {
            if !condition { throw .badOption(name: name, value: "\(value)", need: need) }
        }
        try require(
            temperature.isFinite && temperature >= 0, "--temperature", temperature,
            "must be 0, which takes the likeliest token, or more")
        try require(topK >= 0, "--top-k", topK, "must not be negative")
        try require(topP > 0 && topP <= 1, "--top-p", topP, "must be above 0 and at most 1")
        try require(
            repetitionPenalty.isFinite && repetitionPenalty > 0, "--repetition-penalty", repetitionPenalty,
            "must be above 0")
    }
}

/// What a next token is drawn from: the tokens that a rule leaves, with their probabilities.
///
/// The steps and their order are those of transformers: repetition penalty, temperature, top-k, top-p, computed in double
/// precision. Where equal logits stand on both sides of top-p's border, the higher ids stay (there, any).
public struct TokenDistribution: Sendable, Equatable {
    /// The likeliest first; of equals, the higher id.
    public let ids: [Int32]
    /// They add up to 1.
    public let probabilities: [Double]

    /// - Parameters:
    ///   - logits: one for each token that may be chosen.
    ///   - seen: the tokens that are there already.
    /// - Throws: `GenerationError.notFinite` if a logit is NaN or infinity, or none is a number.
    public init(
        logits: some Collection<Float>, seen: Set<Int32>, rule: SamplingRule
    ) throws(GenerationError) {
        var scores = logits.map { Double($0) }
        guard scores.allSatisfy({ $0 < .infinity }), scores.contains(where: { $0 > -.infinity }) else {
            throw .notFinite
        }
        for id in seen where Int(id) < scores.count {
            let score = scores[Int(id)]
            scores[Int(id)] = score < 0 ? score * rule.repetitionPenalty : score / rule.repetitionPenalty
        }
        if rule.isGreedy || rule.temperature == 0 {
            self.init(likeliestOf: scores)
        } else {
            self.init(scores, rule)
        }
    }

    private init(likeliestOf scores: [Double]) {
        var best = 0
        for id in scores.indices where scores[id] > scores[best] { best = id }
        ids = [Int32(best)]
        probabilities = [1]
    }

    private init(_ scores: [Double], _ rule: SamplingRule) {
        let least = rule.topK > 0 && rule.topK < scores.count ? smallestOfLargest(rule.topK, scores) : -.infinity
        let order = scores.indices.filter { scores[$0] >= least }
            .sorted { (scores[$0], $0) > (scores[$1], $1) }
        // The largest is subtracted before the division, so that no temperature makes it overflow.
        let weights = order.map { exp((scores[$0] - scores[order[0]]) / rule.temperature) }
        let kept = rule.topP < 1 ? nucleus(weights, rule.topP) : weights.count
        let total = weights[..<kept].reduce(0, +)
        ids = order[..<kept].map { Int32($0) }
        probabilities = weights[..<kept].map { $0 / total }
    }

    /// The token at `place`, at least 0 and below 1, when the tokens lie side by side, each as wide as it is probable.
    public func token(at place: Double) -> Int32 {
        var end = 0.0
        for (id, probability) in zip(ids, probabilities) {
            end += probability
            if place < end { return id }
        }
        // The widths may add up to a little less than 1.
        return ids[ids.count - 1]
    }
}

/// The smallest of the `count` largest values.
private func smallestOfLargest(_ count: Int, _ values: [Double]) -> Double {
    // Ascending; most values are below all of it and cost one comparison.
    var largest = values[..<count].sorted()
    for value in values[count...] where value > largest[0] {
        let place = largest.firstIndex { $0 >= value } ?? largest.count
        largest.insert(value, at: place)
        largest.removeFirst()
    }
    return largest[0]
}

/// How many of the weights, given in descending order, reach the share `topP` of their sum; at least one.
///
/// A weight goes if it and all smaller ones together make up at most 1 - topP.
private func nucleus(_ weights: [Double], _ topP: Double) -> Int {
    let total = weights.reduce(0, +)
    var kept = weights.count
    var sum = 0.0
    while kept > 1 {
        sum += weights[kept - 1] / total
        if sum > 1 - topP { break }
        kept -= 1
    }
    return kept
}
