internal import SeededRandom
internal import Torch

/// What is to be generated, and how.
public struct GenerationOptions: Sendable, Equatable {
    public var rule = SamplingRule()
    /// New tokens of a sequence at most.
    public var newTokens = 512
    /// The end token is not chosen before a sequence has so many new tokens.
    public var leastNewTokens = 0
    /// Tokens of prompt and text together at most; nil: 2048, or as many as the model can see if they are fewer.
    public var context: Int?
    /// Sequences for each prompt.
    public var samples = 1
    /// Sequences computed at once.
    public var batchSize = 8
    /// With the number of the prompt and of the sample, decides what is drawn.
    public var seed: UInt64 = 42

    public init() {}

    /// - Throws: `GenerationError.badOption`.
    public func check() throws(GenerationError) {
        try rule.check()
        for (name, value) in [
            ("--max-new-tokens", newTokens), ("--samples", samples), ("--batch-size", batchSize),
        ] where !(1...1 << 20).contains(value) {
            throw .badOption(name: name, value: "\(value)", need: "must be 1 to 1048576")
        }
        if let context, !(2...1 << 20).contains(context) {
            throw .badOption(name: "--context", value: "\(context)", need: "must be 2 to 1048576")
        }
        guard (0...newTokens).contains(leastNewTokens) else {
            throw .badOption(
                name: "--min-new-tokens", value: "\(leastNewTokens)",
                need: "must be 0 to --max-new-tokens, \(newTokens)")
        }
    }
}

/// Why a sequence ended.
public enum GenerationEnd: String, Sendable {
    /// With the end token, which is its last.
    case endToken = "end"
    /// With as many tokens as were asked for.
    case length
    /// With as many tokens as the context holds.
    case context
}

/// A token just chosen.
public struct GeneratedToken: Sendable {
    /// The number of the sequence: samples of the first prompt, of the second, and so on.
    public let sequence: Int
    public let id: Int32
    /// The logits of the tokens that it was chosen from.
    public let logits: ArraySlice<Float>
    public let distribution: TokenDistribution
    /// Set on the sequence's last token.
    public let end: GenerationEnd?
}

extension LlamaModel {
    /// Tokens of prompt and text together at most.
    ///
    /// - Throws: `GenerationError.badOption` if the options ask for more than the model can see.
    public func contextLimit(_ options: GenerationOptions) throws(GenerationError) -> Int {
        let largest = min(configuration.positionLimit ?? .max, configuration.slidingWindow ?? .max)
        guard let context = options.context else { return min(2048, largest) }
        guard context <= largest else {
            throw .badOption(
                name: "--context", value: "\(context)", need: "this model can see \(largest) tokens at most")
        }
        return context
    }

    /// Goes on from each prompt, several sequences at once, until each has ended.
    ///
    /// Tokens of a sequence come in order; of several, in turns. The same arguments give the same tokens.
    /// - Parameters:
    ///   - vocabulary: Tokens from this one on are never chosen: rows that no piece stands behind.
    ///   - observe: Told of each token; what it throws ends everything.
    /// - Throws: `GenerationError` before anything is computed, or when the model gives no numbers.
    public func generate(
        _ prompts: [[Int32]], _ options: GenerationOptions, endID: Int32?, vocabulary: Int,
        observe: (GeneratedToken) throws -> Void
    ) throws {
        try options.check()
        let contextLimit = try contextLimit(options)
        for (number, prompt) in prompts.enumerated() {
            if prompt.isEmpty { throw GenerationError.emptyPrompt(number: number) }
            guard prompt.count < contextLimit else {
                throw GenerationError.promptTooLong(number: number, tokens: prompt.count, limit: contextLimit)
            }
        }
        var starts = SequenceStarts(self, prompts, options, contextLimit: contextLimit)
        var active: [ActiveSequence] = []
        while true {
            while active.count < options.batchSize, let next = try starts.next() { active.append(next) }
            if active.isEmpty { return }
            for index in active.indices {
                let choice = try active[index].choose(options, endID: endID, vocabulary: vocabulary)
                try observe(choice)
            }
            active.removeAll { $0.hasEnded }
            try advance(active)
        }
    }

    /// Runs the last token of every sequence.
    private func advance(_ active: [ActiveSequence]) throws {
        if active.isEmpty { return }
        let logits = try logits(continuing: active.map { Continuation([$0.last], $0.cache) }).floats()
        let size = logits.count / active.count
        for (index, sequence) in active.enumerated() { sequence.logits = logits[(index * size)...].prefix(size) }
    }
}

/// Starts one sequence after another; samples of a prompt share the work on it.
private struct SequenceStarts {
    private let model: LlamaModel
    private let prompts: [[Int32]]
    private let options: GenerationOptions
    private let contextLimit: Int
    private var number = 0
    /// The current prompt after the model has read it.
    private var prompt: (cache: KeyValueCache, logits: [Float])?

    init(_ model: LlamaModel, _ prompts: [[Int32]], _ options: GenerationOptions, contextLimit: Int) {
        self.model = model
        self.prompts = prompts
        self.options = options
        self.contextLimit = contextLimit
    }

    mutating func next() throws -> ActiveSequence? {
        let (place, sample) = number.quotientAndRemainder(dividingBy: options.samples)
        guard place < prompts.count else { return nil }
        let (cache, logits) = try sample == 0 ? read(prompts[place]) : prompt ?? read(prompts[place])
        let isLast = sample == options.samples - 1
        prompt = isLast ? nil : (cache, logits)
        defer { number += 1 }
        return ActiveSequence(
            number: number, prompt: prompts[place], cache: isLast ? cache : try cache.copied(), logits: logits[...],
            generator: SplitMix64(seed: options.seed, purpose: UInt64(place), UInt64(sample)))
    }

    private func read(_ tokens: [Int32]) throws -> (KeyValueCache, [Float]) {
        let capacity = min(tokens.count + options.newTokens, contextLimit)
        let cache = try KeyValueCache(
            model.configuration, capacity: capacity, computation: model.computation)
        return (cache, try model.logits(continuing: [Continuation(tokens, cache)]).floats())
    }
}

/// A sequence that is being written.
private final class ActiveSequence {
    let cache: KeyValueCache
    /// What follows the tokens so far.
    var logits: ArraySlice<Float>
    private(set) var last: Int32 = 0
    private(set) var hasEnded = false
    private let number: Int
    private var generator: SplitMix64
    private var seen: Set<Int32>
    private var newTokens = 0

    init(number: Int, prompt: [Int32], cache: KeyValueCache, logits: ArraySlice<Float>, generator: SplitMix64) {
        self.number = number
        self.cache = cache
        self.logits = logits
        self.generator = generator
        seen = Set(prompt)
    }

    func choose(_ options: GenerationOptions, endID: Int32?, vocabulary: Int) throws -> GeneratedToken {
        var choices = logits.prefix(vocabulary)
        if newTokens < options.leastNewTokens, let endID, Int(endID) < choices.count {
            choices[choices.startIndex + Int(endID)] = -.infinity
        }
        let distribution = try TokenDistribution(logits: choices, seen: seen, rule: options.rule)
        last = distribution.token(at: generator.unit())
        seen.insert(last)
        newTokens += 1
        let end = end(options, endID: endID)
        hasEnded = end != nil
        return GeneratedToken(sequence: number, id: last, logits: choices, distribution: distribution, end: end)
    }

    private func end(_ options: GenerationOptions, endID: Int32?) -> GenerationEnd? {
        if last == endID { return .endToken }
        if newTokens == options.newTokens { return .length }
        // The cache does not hold the new token yet.
        return cache.count + 1 == cache.capacity ? .context : nil
    }
}
