/// How much a run takes from a corpus, beside the others': a decimal above 0 with at most six digits behind the point.
///
/// It is held exactly, so that a mix hits its shares however long it runs.
public struct MixWeight: Sendable, Equatable {
    /// 1 to `limit`.
    let millionths: Int

    static let limit = 1_000_000_000
    static let one = MixWeight(millionths: 1_000_000)

    private init(millionths: Int) {
        self.millionths = millionths
    }

    /// nil unless the text is such a number, at most 1000: `0.8`, `4`, `.25`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map { Array($0.utf8) }
        let fraction = parts.count > 1 ? parts[1] : []
        let digits = parts[0] + fraction
        guard parts[0].count <= 4, fraction.count <= 6, !digits.isEmpty,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        let padded = digits + Array(repeating: 0x30, count: 6 - fraction.count)
        let millionths = padded.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard (1...Self.limit).contains(millionths) else { return nil }
        self.millionths = millionths
    }

    /// As many weights, as equal as can be, whose sum is this one.
    func parts(_ count: Int) -> [MixWeight] {
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: max(1, count))
        return (0..<count).map { MixWeight(millionths: max(1, whole + ($0 < rest ? 1 : 0))) }
    }

    /// nil if the sum is more than 1000.
    func adding(_ other: MixWeight) -> MixWeight? {
        let sum = millionths + other.millionths
        return sum <= Self.limit ? MixWeight(millionths: sum) : nil
    }
}

extension MixWeight: CustomStringConvertible {
    /// Equal weights have equal texts: `0.80` and `.8` read `0.8`.
    public var description: String {
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        if rest == 0 { return "\(whole)" }
        var fraction = String(1_000_000 + rest).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }
}

/// Files that are one corpus of a mix.
public struct WeightedText: Sendable, Equatable {
    /// What reports and the held-out part are called.
    public var name: String
    public var weight: MixWeight
    public var paths: [String]

    public init(name: String, weight: MixWeight, paths: [String]) {
        self.name = name
        self.weight = weight
        self.paths = paths
    }

    /// One corpus for each name, in the order in which the names first come: the files of one name stand together and
    /// their weights are added.
    ///
    /// - Throws: `PretrainingError.badOption` if the weights of a name sum to more than 1000.
    public static func joined(_ parts: [WeightedText]) throws(PretrainingError) -> [WeightedText] {
        var result: [WeightedText] = []
        for part in parts {
            guard let index = result.firstIndex(where: { $0.name == part.name }) else {
                result.append(part)
                continue
            }
            guard let sum = result[index].weight.adding(part.weight) else {
                throw .badOption(name: "--mix", value: part.name, need: "its weights must sum to at most 1000")
            }
            result[index].weight = sum
            result[index].paths += part.paths
        }
        return result
    }
}
