import FileIO
import Foundation
import UnicodeText

extension NormalizationRules {
    /// The charsmap of a file of rules: a line each, code points in hexadecimal separated by spaces (`U+` may precede
    /// them), a tab, and the code points that replace them; without these the rule deletes. More fields are remarks, and
    /// a later rule for the same code points replaces an earlier one.
    ///
    /// - Throws: `FileError`, `TrainingError.malformedLine`, `TrainingError.badSpecification`.
    public static func charsmap(ofRulesAt path: String) throws -> [UInt8] {
        var rules: [[UInt32]: [UInt32]] = [:]
        var number = 0
        try forEachLine(of: path) { line in
            number += 1
            let (source, target) = try rule(of: line, path: path, line: number)
            rules[source] = target
        }
        if rules.isEmpty {
            throw TrainingError.badSpecification(flag: "normalization-rule-tsv", reason: "\(path) holds no rules")
        }
        try checkNesting(of: rules, path: path)
        var set = NormalizationRuleSet()
        for source in rules.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let target = rules[source] ?? []
            if source.count == 1 {
                set.setRule(for: source[0], to: target)
            } else {
                set.append(source, target: set.number(ofTarget: target))
            }
        }
        return set.charsmap()
    }

    private static func rule(
        of line: UnsafeRawBufferPointer, path: String, line number: Int
    ) throws(TrainingError) -> (source: [UInt32], target: [UInt32]) {
        let fields = String(decoding: line, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false)
        func codePoints(_ field: Substring) throws(TrainingError) -> [UInt32] {
            var result: [UInt32] = []
            for word in field.split(separator: " ") {
                guard let value = codePoint(word) else {
                    throw .malformedLine(
                        path: path, line: number, reason: "has \"\(word)\", which is no code point in hexadecimal")
                }
                result.append(value)
            }
            return result
        }
        let source = try codePoints(fields[0])
        let target = fields.count > 1 ? try codePoints(fields[1]) : []
        if source.isEmpty { throw .malformedLine(path: path, line: number, reason: "has no source") }
        if source == target { throw .malformedLine(path: path, line: number, reason: "changes nothing") }
        return (source, target)
    }

    /// A character, but for NUL, which ends texts in a charsmap.
    private static func codePoint(_ word: Substring) -> UInt32? {
        let digits = word.hasPrefix("U+") ? word.dropFirst(2) : word
        let trimmed = digits.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let value = UInt32(trimmed, radix: 16), value > 0, Unicode.Scalar(value) != nil else { return nil }
        return value
    }

    /// sentencepiece looks at no more than this many rules that begin at one place.
    private static let deepestNesting = 32

    private static func checkNesting(of rules: [[UInt32]: [UInt32]], path: String) throws(TrainingError) {
        for source in rules.keys where source.count >= deepestNesting {
            let nested = (1...source.count).count { rules[Array(source[..<$0])] != nil }
            if nested >= deepestNesting {
                throw .badSpecification(
                    flag: "normalization-rule-tsv",
                    reason: "\(path) has \(nested) rules that begin one another; \(deepestNesting - 1) are the most")
            }
        }
    }
}
