import Foundation

/// The surroundings that pieces of any tokenizer are compared by: the frequent characters to their left and right.
struct ContextFeatures: Sendable {
    /// Characters that count; what is rarer says little and takes memory.
    static let largestCount = 1024
    /// Characters on each side.
    static let window = 4
    /// What one at each distance counts: 12 / distance, as in GloVe, in whole numbers.
    static let weights: [UInt32] = [12, 6, 4, 3]

    /// For each code point below the end of planes with letters its place in the order of frequency; -1: left out.
    private let places: [Int32]
    /// For each feature the logarithm of its share in the text, to the power of 0.75, as Levy and others (2015) have it:
    /// without it, rare characters would weigh too much.
    let logShares: [Double]

    /// The most frequent characters, of equally frequent ones those with smaller code points.
    init(_ counts: [UInt32: Int]) {
        let frequent = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.largestCount)
        var places = [Int32](repeating: -1, count: 0x40000)
        for (place, entry) in frequent.enumerated() where Int(entry.key) < places.count {
            places[Int(entry.key)] = Int32(place)
        }
        self.places = places
        let powers = frequent.map { pow(Double($0.value), 0.75) }
        let total = powers.reduce(0, +)
        let shares = powers.map { log($0 / total) }
        logShares = shares.flatMap { [$0, $0] }
    }

    /// Features in all: each character to the left, 2i, and to the right, 2i + 1.
    var count: Int { logShares.count }

    /// The characters' places in the order of frequency; -1 for what does not count.
    func places(of scalars: [UInt32]) -> [Int32] {
        scalars.map { Int($0) < places.count ? places[Int($0)] : -1 }
    }
}
