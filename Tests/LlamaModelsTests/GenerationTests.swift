import FileIO
import LlamaModels
import OrderedJSON
import TestSupport
import Testing
import Torch

/// What transformers generates with the tiny models in Tests/Fixtures/llama.
private struct GenerationGoldens {
    let facts: JSONValue

    init() throws {
        facts = try JSONValue(parsing: readFile(fixture("llama/generation.json")))
    }

    static func ids(_ value: JSONValue?) -> [Int32] { (value?.array ?? []).compactMap { $0.int.map(Int32.init) } }
    static func numbers(_ value: JSONValue?) -> [Double] { (value?.array ?? []).map { $0.double ?? .nan } }

    var prompts: [[Int32]] { (facts["prompts"]?.array ?? []).map { Self.ids($0) } }

    func rule(_ value: JSONValue?) -> SamplingRule {
        let numbers = Self.numbers(value)
        var rule = SamplingRule()
        rule.temperature = numbers[0]
        rule.topK = Int(numbers[1])
        rule.topP = numbers[2]
        rule.repetitionPenalty = numbers[3]
        return rule
    }
}

/// The ids of each sequence and why it ended.
private func generate(
    _ model: LlamaModel, _ prompts: [[Int32]], _ options: GenerationOptions, endID: Int32? = nil, vocabulary: Int = 40
) throws -> [(ids: [Int32], end: GenerationEnd?)] {
    var result = [(ids: [Int32], end: GenerationEnd?)](repeating: ([], nil), count: prompts.count * options.samples)
    try model.generate(prompts, options, endID: endID, vocabulary: vocabulary) { token in
        result[token.sequence].ids.append(token.id)
        result[token.sequence].end = token.end
    }
    return result
}

@Suite struct GenerationTests {
    private let directory = fixture("llama/grouped")
    private let prompts: [[Int32]] = [[1, 17, 4], [1], [1, 5, 9, 33, 2, 8, 21, 30]]

    private func options(_ newTokens: Int = 12, samples: Int = 1, batchSize: Int = 8) -> GenerationOptions {
        var options = GenerationOptions()
        options.newTokens = newTokens
        options.samples = samples
        options.batchSize = batchSize
        options.rule.temperature = 1
        return options
    }

    @Test(arguments: Goldens.variants, [1, 2, 8])
    func greedyTokensAreThoseOfTransformers(variant: String, batchSize: Int) throws {
        let goldens = try GenerationGoldens()
        let model = try LlamaModel(directory: fixture("llama/" + variant))
        let expected = (goldens.facts["greedy"]?[variant]?.array ?? []).map { GenerationGoldens.ids($0) }
        var options = options(24, batchSize: batchSize)
        options.rule.isGreedy = true
        options.rule.repetitionPenalty = goldens.facts["penalty"]?.double ?? .nan
        let found = try generate(model, goldens.prompts, options)
        #expect(found.map(\.ids) == expected)
        #expect(found.allSatisfy { $0.end == .length })
    }

    @Test func probabilitiesAreThoseThatTheProcessorsOfTransformersLeave() throws {
        let goldens = try GenerationGoldens()
        let seen = Set(GenerationGoldens.ids(goldens.facts["seen"]))
        var largest = 0.0
        for entry in goldens.facts["rules"]?.array ?? [] {
            let rule = goldens.rule(entry["rule"])
            for (logits, expected) in zip(goldens.facts["logits"]?.array ?? [], entry["probabilities"]?.array ?? []) {
                let distribution = try TokenDistribution(
                    logits: GenerationGoldens.numbers(logits).map { Float($0) }, seen: seen, rule: rule)
                var probabilities = [Double](repeating: 0, count: 40)
                for (id, probability) in zip(distribution.ids, distribution.probabilities) {
                    probabilities[Int(id)] = probability
                }
                let differences = zip(probabilities, GenerationGoldens.numbers(expected)).map { ($0 - $1).magnitude }
                largest = max(largest, differences.max() ?? .nan)
            }
        }
        print("largest difference of probabilities \(largest)")
        #expect(largest < 1e-6)
    }

    @Test(arguments: Goldens.variants)
    func logitsWithACacheEqualThoseOfTheWholeSequence(variant: String) throws {
        let model = try LlamaModel(directory: fixture("llama/" + variant))
        let sequences: [[Int32]] = [Array(0..<20), (0..<13).map { ($0 * 7 + 3) % 40 }]
        let whole = try sequences.map { try model.logits(TokenBatch(blocks: [$0])).floats() }
        let caches = try sequences.map { try KeyValueCache(model.configuration, capacity: $0.count) }
        var largest: Float = 0
        func compare(_ found: Tensor, _ row: Int, _ sequence: Int, after count: Int) throws {
            let values = try found.narrowed(start: row, length: 1)
            largest = max(
                largest, try largestDifference(values, Array(whole[sequence][((count - 1) * 40)...].prefix(40))))
        }
        // A first part, three tokens at once, one at a time, and both sequences together with different numbers.
        for (tokens, end) in [(0..<7, 7), (7..<10, 10), (10..<11, 11)] {
            try compare(
                model.logits(continuing: [Continuation(Array(sequences[0][tokens]), caches[0])]), 0, 0, after: end)
        }
        for (first, second) in [(11..<12, 0..<5), (12..<15, 5..<6), (15..<20, 6..<13)] {
            let both = try model.logits(
                continuing: [
                    Continuation(Array(sequences[0][first]), caches[0]),
                    Continuation(Array(sequences[1][second]), caches[1]),
                ])
            try compare(both, 0, 0, after: first.upperBound)
            try compare(both, 1, 1, after: second.upperBound)
        }
        print("\(variant): largest difference of logits with a cache \(largest)")
        #expect(largest < 1e-5)
        #expect(caches.map(\.count) == [20, 13])
    }

    @Test func aCopyOfACacheGoesOnByItself() throws {
        let model = try LlamaModel(directory: directory)
        let cache = try KeyValueCache(model.configuration, capacity: 8)
        _ = try model.logits(continuing: [Continuation([1, 2, 3], cache)])
        let copy = try cache.copied()
        let first = try model.logits(continuing: [Continuation([4], cache)]).floats()
        _ = try model.logits(continuing: [Continuation([9, 9], cache)])
        #expect(copy.count == 3)
        #expect(try model.logits(continuing: [Continuation([4], copy)]).floats() == first)
    }

    @Test func theSameSeedGivesTheSameTokensAtAnyNumberOfThreads() throws {
        let threads = TorchRuntime.threads
        defer { try? TorchRuntime.setThreads(threads) }
        let model = try LlamaModel(directory: directory)
        func tokens(threads: Int, seed: UInt64 = 42) throws -> [[Int32]] {
            try TorchRuntime.setThreads(threads)
            var options = options(samples: 3)
            options.seed = seed
            return try generate(model, prompts, options).map(\.ids)
        }
        let one = try tokens(threads: 1)
        #expect(try tokens(threads: 2) == one)
        #expect(try tokens(threads: 3) == one)
        #expect(try tokens(threads: 1, seed: 43) != one)
        #expect(Set(one[0..<3]).count > 1)
    }

    @Test(arguments: [1, 2, 3, 5, 7, 8, 11, 17, 40])
    func aPromptOfAnyLengthHasTheSameLogitsAtAnyNumberOfThreads(length: Int) throws {
        let threads = TorchRuntime.threads
        defer { try? TorchRuntime.setThreads(threads) }
        let model = try LlamaModel(directory: directory)
        let prompt = (0..<length).map { Int32($0 * 7 % 30 + 1) }
        let logits = try [1, 2, 3, 4].map { count in
            try TorchRuntime.setThreads(count)
            return try model.logits(continuing: [Continuation(prompt, KeyValueCache(model.configuration, capacity: 64))]
            ).bytes()
        }
        #expect(logits.allSatisfy { $0 == logits[0] })
    }

    @Test func sequencesDoNotDependOnHowManyAreComputedAtOnce() throws {
        let model = try LlamaModel(directory: directory)
        let alone = try generate(model, prompts, options(samples: 3, batchSize: 1)).map(\.ids)
        for batchSize in [2, 4, 100] {
            #expect(try generate(model, prompts, options(samples: 3, batchSize: batchSize)).map(\.ids) == alone)
        }
    }

    @Test func aSequenceEndsWithTheEndTokenOrWithTheContext() throws {
        let model = try LlamaModel(directory: directory)
        #expect(try model.contextLimit(options()) == 64)
        let ends = try generate(model, prompts, options(500)).map { ($0.ids.count, $0.end) }
        #expect(ends.map(\.0) == prompts.map { 64 - $0.count })
        #expect(ends.allSatisfy { $0.1 == .context })
        let whole = try generate(model, prompts, options(12)).map(\.ids)
        for end in whole[0] {
            let cut = try generate(model, prompts, options(12), endID: end)
            for (ids, (found, reason)) in zip(whole, cut) {
                let expected = ids.firstIndex(of: end).map { ids[...$0] } ?? ids[...]
                #expect(found == Array(expected))
                #expect(reason == (ids.contains(end) ? .endToken : .length))
            }
        }
    }

    @Test func aContextIsAsLongAsAskedForAndAtMostTheModels() throws {
        let model = try LlamaModel(directory: directory)
        var options = options(500)
        options.context = 20
        let found = try generate(model, prompts, options)
        #expect(found.map(\.ids.count) == prompts.map { 20 - $0.count })
        #expect(found.allSatisfy { $0.end == .context })
        #expect(throws: GenerationError.promptTooLong(number: 0, tokens: 20, limit: 20)) {
            try generate(model, [[Int32](repeating: 1, count: 20)], options)
        }
        options.context = 65
        let error = #expect(throws: GenerationError.self) { try generate(model, prompts, options) }
        #expect(error?.isAboutOption == true)
        #expect(error.map { "\($0)" } == "--context 65: this model can see 64 tokens at most")
    }

    @Test func rowsWithoutAPieceAreNeverChosen() throws {
        let model = try LlamaModel(directory: directory)
        var options = options(40)
        options.rule.topK = 0
        options.rule.topP = 1
        let few = try generate(model, prompts, options, vocabulary: 5)
        #expect(few.allSatisfy { $0.ids.allSatisfy { $0 < 5 } })
    }

    @Test func whatCannotBeGeneratedIsRefused() throws {
        let model = try LlamaModel(directory: directory)
        func expect(_ prompts: [[Int32]], _ error: GenerationError) {
            #expect(throws: error) { try generate(model, prompts, options()) }
        }
        expect([[1], []], .emptyPrompt(number: 1))
        expect([[Int32](repeating: 1, count: 64)], .promptTooLong(number: 0, tokens: 64, limit: 64))
        #expect(throws: LlamaModelError.self) { try generate(model, [[1, 40]], options()) }
        let cache = try KeyValueCache(model.configuration, capacity: 4)
        for tokens: [Int32] in [[], [1, 2, 3, 4, 5], [-1]] {
            #expect(throws: LlamaModelError.self) { try model.logits(continuing: [Continuation(tokens, cache)]) }
        }
        #expect(throws: LlamaModelError.self) {
            try model.logits(continuing: [Continuation([1], cache), Continuation([1], cache)])
        }
        #expect(cache.count == 0)
    }

    @Test func noSequenceEndsBeforeItHasTheLeastNumberOfTokens() throws {
        let model = try LlamaModel(directory: directory)
        var options = options(12)
        options.rule.isGreedy = true
        options.rule.repetitionPenalty = 1
        let free = try generate(model, prompts, options)
        let end = try #require(free.first?.ids.first)
        for least in [0, 1, 5, 12] {
            options.leastNewTokens = least
            for sequence in try generate(model, prompts, options, endID: end) {
                let place = sequence.ids.firstIndex(of: end) ?? 12
                #expect(place >= least && sequence.ids.count == min(place + 1, 12))
            }
        }
        options.leastNewTokens = 13
        #expect(throws: GenerationError.self) { try generate(model, prompts, options) }
    }

    @Test func logitsThatAreNoNumbersAreRefused() throws {
        let rule = SamplingRule()
        for logits: [Float] in [[1, .nan, 0], [1, .infinity, 0], [-.infinity, -.infinity], []] {
            #expect(throws: GenerationError.notFinite) { try TokenDistribution(logits: logits, seen: [], rule: rule) }
        }
        let some = try TokenDistribution(logits: [-.infinity, 2, -.infinity], seen: [0], rule: rule)
        #expect(some.ids == [1] && some.probabilities == [1])
    }

    @Test(
        arguments: [
            { $0.rule.temperature = -1 }, { $0.rule.temperature = .nan }, { $0.rule.topK = -1 }, { $0.rule.topP = 0 },
            { $0.rule.topP = 1.5 }, { $0.rule.repetitionPenalty = 0 }, { $0.newTokens = 0 }, { $0.samples = -1 },
            { $0.leastNewTokens = -1 }, { $0.context = 1 }, { $0.context = 1 << 20 + 1 },
            { $0.batchSize = 0 },
        ] as [@Sendable (inout GenerationOptions) -> Void])
    func anOptionWithoutMeaningIsRefused(change: @Sendable (inout GenerationOptions) -> Void) {
        var options = options()
        change(&options)
        #expect(throws: GenerationError.self) { try options.check() }
    }

    @Test func aTemperatureOfZeroTakesTheLikeliestToken() throws {
        var (cold, greedy) = (SamplingRule(), SamplingRule())
        cold.temperature = 0
        greedy.isGreedy = true
        let logits: [Float] = [1, 4, 3, 4]
        let distribution = try TokenDistribution(logits: logits, seen: [2], rule: cold)
        #expect(distribution == (try TokenDistribution(logits: logits, seen: [2], rule: greedy)))
        #expect(distribution.ids == [1] && distribution.probabilities == [1])
        greedy.temperature = 0
        try greedy.check()
        try cold.check()
    }

    @Test func aPlaceIsDrawnAsOftenAsItsTokenIsProbable() throws {
        var rule = SamplingRule()
        (rule.temperature, rule.topK, rule.topP) = (1, 0, 1)
        let distribution = try TokenDistribution(logits: [0, 1, 2, 1], seen: [], rule: rule)
        #expect(distribution.ids == [2, 3, 1, 0])
        for step in 0..<1000 {
            let place = Double(step) / 1000
            let below = zip(distribution.ids, distribution.probabilities)
                .prefix { $0.0 != distribution.token(at: place) }.reduce(0) { $0 + $1.1 }
            #expect(below <= place)
        }
        #expect(distribution.token(at: 1 - 0x1p-53) == 0)
    }
}
