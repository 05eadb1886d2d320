import OrderedJSON

/// From when on the extended vocabulary paid in the study of docs/results.md: Study/payoff.json, which
/// Benchmarks/study/publish.py writes.
struct StudyPayoff {
    /// Text that was trained on, in bytes and in tokens of the extended vocabulary.
    struct Amount {
        var bytes: Int
        var tokens: Int
    }

    /// Of the study's base, before it was extended.
    var parameters: Int
    var rows: Int
    /// From here on the extended model had fewer bits per byte of held-out Chinese than the one that kept its vocabulary,
    /// after the same computing; nil where that was not so at the end.
    var paidOff: Amount?
    /// What the extended model was trained on in all.
    var trained: Amount

    /// - Throws: `JSONError` for what is no JSON; what lacks a number is nil.
    init?(_ bytes: [UInt8]) throws {
        let json = try JSONValue(parsing: bytes)
        guard let parameters = json["parameters"]?.int, let rows = json["rows"]?.int, rows > 0,
            let trained = Self.amount(json["trained"])
        else { return nil }
        (self.parameters, self.rows, self.trained) = (parameters, rows, trained)
        paidOff = Self.amount(json["paid_off"])
    }

    private static func amount(_ json: JSONValue?) -> Amount? {
        guard let bytes = json?["bytes"]?.int, let tokens = json?["targets"]?.int else { return nil }
        return Amount(bytes: bytes, tokens: tokens)
    }

    static let shipped = try? StudyPayoff(PackageResources.payoff_json)

    /// Tokens of training until so many rows pay, if each takes as many as in the study.
    func tokens(rows: Int) -> Double? {
        paidOff.map { Double($0.tokens) / Double(self.rows) * Double(rows) }
    }
}
