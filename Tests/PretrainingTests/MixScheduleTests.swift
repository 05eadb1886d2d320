import SeededRandom
import Testing

@testable import Pretraining

private func weights(_ texts: String...) -> [MixWeight] {
    texts.compactMap { MixWeight($0) }
}

@Suite struct MixWeightTests {
    @Test func aWeightIsADecimalWithSixDigits() {
        let read = ["0.8", ".25", "4", "1000", "0.000001", "0.80", "12.5"].map { MixWeight($0)?.description }
        #expect(read == ["0.8", "0.25", "4", "1000", "0.000001", "0.8", "12.5"])
    }

    @Test(arguments: [
        "", ".", "0", "0.0", "-1", "+1", "1e3", "1000.000001", "0.0000001", "1.2.3", "99999", "nan", "inf", " 1", "١",
    ])
    func anythingElseIsNone(text: String) {
        #expect(MixWeight(text) == nil)
    }

    @Test func textsOfOneNameAreOneCorpusAndTheirWeightsAddUp() throws {
        let parts = zip(["zh", "en", "zh"], zip(weights("0.5", "0.2", "0.3"), ["a", "b", "c"])).map {
            WeightedText(name: $0, weight: $1.0, paths: [$1.1])
        }
        let joined = try WeightedText.joined(parts)
        #expect(joined.map(\.name) == ["zh", "en"])
        #expect(joined.map(\.weight.description) == ["0.8", "0.2"])
        #expect(joined.map(\.paths) == [["a", "c"], ["b"]])
        let large = WeightedText(name: "zh", weight: weights("600")[0], paths: ["a"])
        #expect(throws: PretrainingError.self) { try WeightedText.joined([large, large]) }
    }
}

@Suite struct MixScheduleTests {
    @Test func noCorpusIsEverAWholeBlockFromItsShare() {
        var generator = SplitMix64(seed: 5)
        for trial in 0..<60 {
            let texts = (0...Int(generator.next(below: 6))).map { _ in "\(1 + generator.next(below: 40))" }
            var schedule = MixSchedule(texts.compactMap { MixWeight($0) })
            let (weights, period) = (schedule.weights, schedule.period)
            var counts = [Int](repeating: 0, count: weights.count)
            for (place, turn) in schedule.turns(0..<2 * period + 3).enumerated() {
                #expect(turn.number == counts[turn.corpus], "trial \(trial): \(texts)")
                counts[turn.corpus] += 1
                let isFair = zip(weights, counts).allSatisfy { abs($1 * period - (place + 1) * $0) < period }
                #expect(isFair, "trial \(trial): \(texts) at \(place)")
            }
        }
    }

    @Test func aPlaceIsTheSameFromWhereverItIsReached() {
        var whole = MixSchedule(weights("0.5", "0.3", "0.17", "0.03"))
        let expected = whole.turns(0..<350)
        var other = MixSchedule(weights("50", "30", "17", "3"))
        for range in [120..<350, 0..<7, 99..<101, 349..<350, 200..<201] {
            let turns = other.turns(range)
            #expect(turns.map(\.corpus) == expected[range].map(\.corpus))
            #expect(turns.map(\.number) == expected[range].map(\.number))
        }
        for place in [300, 0, 100, 57] {
            let counts = (0..<4).map { corpus in expected[..<place].count { $0.corpus == corpus } }
            #expect(other.counts(before: place) == counts)
        }
    }

    @Test func aFifthIsEveryFifthBlock() {
        var schedule = MixSchedule(weights("0.8", "0.2"))
        let corpora = schedule.turns(0..<20).map(\.corpus)
        for start in stride(from: 0, to: 20, by: 5) { #expect(corpora[start..<start + 5].count { $0 == 1 } == 1) }
    }

    @Test func theEndOfAnEpochIsTheLastBlockOfTheCorpus() {
        var schedule = MixSchedule(weights("0.5", "0.3", "0.2"))
        let turns = schedule.turns(0..<300)
        for corpus in 0..<3 {
            for count in [1, 2, 3, 7, 20, 33] {
                let last = turns.firstIndex { $0.corpus == corpus && $0.number == count - 1 }
                #expect(schedule.places(of: corpus, count: count) == last.map { $0 + 1 })
            }
        }
        #expect(schedule.places(of: 2, count: .max) == nil)
    }

    @Test func oneCorpusHasEveryPlace() {
        var schedule = MixSchedule(weights("0.7"))
        #expect(schedule.turns(3..<6).map(\.number) == [3, 4, 5])
        #expect(schedule.places(of: 0, count: 9) == 9)
    }
}
