public enum NormalizationRules {
    public static func charsmap(named name: String) throws -> [UInt8] {
        if name != "identity" { throw TrainingError.badSpecification(flag: "normalization-rule-name", reason: "only identity yet") }
        return []
    }
}
