import Foundation
import Tokenizers

/// How often some pieces of a tokenizer have each feature of their surroundings in texts.
struct ContextCounts {
    /// The pieces, ascending.
    let ids: [Int32]
    private let width: Int
    /// [ids, features].
    private let counts: [UInt32]

    /// - Parameter ids: the pieces to look at, ascending.
    init(
        of ids: [Int32], in paths: [String], _ spelling: PieceSpelling, _ features: ContextFeatures, threads: Int
    ) throws {
        var rowOfID = [Int32](repeating: -1, count: spelling.tokenizer.count)
        for (row, id) in ids.enumerated() { rowOfID[Int(id)] = Int32(row) }
        let rows = rowOfID
        let width = features.count
        var counts = [UInt32](repeating: 0, count: ids.count * width)
        try forEachStretch(of: paths, spelling, threads: threads) { texts in
            var occurrences = Occurrences()
            for text in texts { occurrences.append(text, features, rows) }
            return occurrences
        } merge: { occurrences in
            occurrences.forEach { row, feature, weight in
                let place = row * width + feature
                let (sum, overflow) = counts[place].addingReportingOverflow(weight)
                counts[place] = overflow ? .max : sum
            }
        }
        self.ids = ids
        self.width = width
        self.counts = counts
    }

    /// The positive pointwise mutual information of a piece with each feature, as a vector of length 1; nil if it has none.
    func vector(_ row: Int, _ features: ContextFeatures) -> [Float]? {
        let counts = counts[row * width..<(row + 1) * width]
        let total = counts.reduce(0.0) { $0 + Double($1) }
        guard total > 0 else { return nil }
        // Each occurrence of a feature is on one side.
        let logTotal = log(total / 2)
        let information = zip(counts, features.logShares).map { count, share in
            count == 0 ? 0 : max(0, log(Double(count)) - logTotal - share)
        }
        let length = information.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? information.map { Float($0 / length) } : nil
    }
}

/// Places in texts where pieces stand, with the characters around them.
private struct Occurrences: Sendable {
    /// For each place the piece's row and, from the nearest to the farthest, the features on the left and on the right; -1
    /// for none.
    private var numbers: [Int32] = []

    private static var stride: Int { 1 + 2 * ContextFeatures.window }

    mutating func append(_ text: SegmentedText, _ features: ContextFeatures, _ rowOfID: [Int32]) {
        let places = features.places(of: text.scalars)
        for (id, range) in zip(text.ids, text.ranges) where rowOfID[Int(id)] >= 0 && !range.isEmpty {
            numbers.append(rowOfID[Int(id)])
            for distance in 1...ContextFeatures.window {
                let left = Int(range.lowerBound) - distance
                numbers.append(left >= 0 && places[left] >= 0 ? 2 * places[left] : -1)
            }
            for distance in 0..<ContextFeatures.window {
                let right = Int(range.upperBound) + distance
                numbers.append(right < places.count && places[right] >= 0 ? 2 * places[right] + 1 : -1)
            }
        }
    }

    func forEach(_ body: (_ row: Int, _ feature: Int, _ weight: UInt32) -> Void) {
        for start in Swift.stride(from: 0, to: numbers.count, by: Self.stride) {
            for place in 0..<2 * ContextFeatures.window where numbers[start + 1 + place] >= 0 {
                body(
                    Int(numbers[start]), Int(numbers[start + 1 + place]),
                    ContextFeatures.weights[place % ContextFeatures.window])
            }
        }
    }
}
