import Tokenizers
import UnicodeText

extension NormalizationRuleSet {
    /// The rules as models hold them: distinct targets in order, and a double array of the sources.
    func charsmap() -> [UInt8] {
        let rules = sortedRules()
        let (text, offsets) = encodedTargets(of: rules)
        var keys = SortedKeys()
        keys.reserveCapacity(keys: rules.count, bytes: rules.count * 10)
        for rule in rules {
            keys.append(value: offsets[Int(rule.target)]) { bytes in
                forEachScalar(of: rule) { UTF8Scalars.append($0, to: &bytes) }
            }
        }
        return PrecompiledCharsmap(trie: DoubleArrayTrie(keys), targets: text).blob
    }

    /// A rule in a form that sorts fast.
    private struct SortableRule {
        /// The first three code points, 21 bits each, from the top; zero for what is missing.
        let prefix: UInt64
        let target: Int32
        let length: Int32
        let index: Int32
    }

    /// All rules by source. Code points sort as their UTF-8 does.
    private func sortedRules() -> [SortableRule] {
        var rules: [SortableRule] = []
        rules.reserveCapacity(longer.reduce(0x4000) { $0 + $1.count })
        for scalar in singles.indices where singles[scalar] >= 0 {
            rules.append(
                SortableRule(prefix: UInt64(scalar) << 42, target: singles[scalar], length: 1, index: Int32(scalar)))
        }
        for sources in longer {
            for index in 0..<sources.count {
                let source = sources.source(index)
                var prefix = UInt64(0)
                for place in 0..<3 {
                    prefix = prefix << 21 | (place < source.count ? UInt64(source[source.startIndex + place]) : 0)
                }
                rules.append(
                    SortableRule(
                        prefix: prefix, target: sources.targets[index], length: Int32(sources.length),
                        index: Int32(index)))
            }
        }
        rules.sort {
            $0.prefix != $1.prefix ? $0.prefix < $1.prefix : source(of: $0).lexicographicallyPrecedes(source(of: $1))
        }
        return rules
    }

    private func source(of rule: SortableRule) -> ArraySlice<UInt32> {
        rule.length == 1 ? [UInt32(rule.index)] : longer[Int(rule.length) - 2].source(Int(rule.index))
    }

    @inline(__always)
    private func forEachScalar(of rule: SortableRule, _ body: (UInt32) -> Void) {
        if rule.length > 3 {
            source(of: rule).forEach(body)
        } else {
            for place in 0..<Int(rule.length) {
                body(UInt32(truncatingIfNeeded: rule.prefix >> UInt64(42 - 21 * place)) & 0x1F_FFFF)
            }
        }
    }

    /// The targets in use in order of their code points, each ended by NUL, and where each begins.
    private func encodedTargets(of rules: [SortableRule]) -> (text: [UInt8], offsets: [UInt32]) {
        var isUsed = [Bool](repeating: false, count: targets.count)
        for rule in rules { isUsed[Int(rule.target)] = true }
        let used = targets.indices.filter { isUsed[$0] }
        var text: [UInt8] = []
        var offsets = [UInt32](repeating: 0, count: targets.count)
        for number in used.sorted(by: { targets[$0].lexicographicallyPrecedes(targets[$1]) }) {
            offsets[number] = UInt32(text.count)
            for scalar in targets[number] { UTF8Scalars.append(scalar, to: &text) }
            text.append(0)
        }
        return (text, offsets)
    }
}
