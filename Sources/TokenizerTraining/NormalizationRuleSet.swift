/// Rules that replace sequences of code points, as they are gathered before they become a charsmap.
struct NormalizationRuleSet {
    /// What rules replace their sources with; rules share equal ones, a rule names one by its position.
    private(set) var targets: [[UInt32]] = []
    private var targetNumbers = SequenceTrie()
    /// For each code point the target of its rule, or -1.
    private(set) var singles = [Int32](repeating: -1, count: 0x110000)
    /// The rules with sources of length 2 at position 0, of length 3 at position 1 and so on.
    private(set) var longer: [SourcesOfLength] = []

    /// Rules whose sources are equally long.
    struct SourcesOfLength {
        let length: Int
        /// The sources, one after the other.
        private(set) var scalars: [UInt32] = []
        private(set) var targets: [Int32] = []

        init(length: Int) {
            self.length = length
        }

        var count: Int { targets.count }

        func source(_ index: Int) -> ArraySlice<UInt32> {
            scalars[index * length..<(index + 1) * length]
        }

        mutating func append(_ source: some Collection<UInt32>, target: Int32) {
            scalars.append(contentsOf: source)
            targets.append(target)
        }
    }

    /// The position of a target.
    mutating func number(ofTarget target: [UInt32]) -> Int32 {
        let number = targetNumbers.insert(target, value: Int32(targets.count))
        if number == Int32(targets.count) { targets.append(target) }
        return number
    }

    mutating func setRule(for scalar: UInt32, to target: [UInt32]) {
        singles[Int(scalar)] = number(ofTarget: target)
    }

    mutating func removeRule(for scalar: UInt32) {
        singles[Int(scalar)] = -1
    }

    /// Adds a rule for two or more code points that has none yet.
    mutating func append(_ source: some Collection<UInt32>, target: Int32) {
        precondition(source.count > 1, "rules for single code points are kept apart")
        while longer.count < source.count - 1 { longer.append(SourcesOfLength(length: longer.count + 2)) }
        longer[source.count - 2].append(source, target: target)
    }

    /// Replaces every target by what `change` makes of it.
    mutating func changeTargets(_ change: ([UInt32]) -> [UInt32]) {
        let old = targets
        targets = []
        targetNumbers = SequenceTrie()
        let numbers = old.map { number(ofTarget: change($0)) }
        for scalar in singles.indices where singles[scalar] >= 0 {
            singles[scalar] = numbers[Int(singles[scalar])]
        }
        longer = longer.map { $0.mapTargets { numbers[Int($0)] } }
    }

    /// Drops the rules whose results shorter rules give already.
    ///
    /// Rules for one code point stay. The others are tried length by length, against the rules that stay of all
    /// smaller lengths, applied from left to right, the longest first.
    mutating func removeRedundant() {
        var kept = SequenceTrie(minimumCapacity: longer.dropLast().reduce(0) { $0 + $1.count })
        for position in longer.indices {
            let candidates = longer[position]
            var remaining = SourcesOfLength(length: candidates.length)
            for index in 0..<candidates.count {
                let source = candidates.source(index)
                if gives(targets[Int(candidates.targets[index])], from: source, by: kept) { continue }
                remaining.append(source, target: candidates.targets[index])
            }
            longer[position] = remaining
            if position == longer.count - 1 { break }
            for index in 0..<remaining.count {
                kept.insert(remaining.source(index), value: remaining.targets[index])
            }
        }
        while let last = longer.last, last.count == 0 { longer.removeLast() }
    }

    /// Does `source` become `expected` by the rules of `kept` and those for single code points?
    private func gives(_ expected: [UInt32], from source: ArraySlice<UInt32>, by kept: SequenceTrie) -> Bool {
        var matched = 0
        var index = source.startIndex
        while index < source.endIndex {
            var target = singles[Int(source[index])]
            var length = 1
            if let longer = kept.longestPrefix(of: source, from: index, limit: source.count - 1) {
                (target, length) = longer
            }
            if target >= 0 {
                for scalar in targets[Int(target)] {
                    guard matched < expected.count, expected[matched] == scalar else { return false }
                    matched += 1
                }
            } else {
                guard matched < expected.count, expected[matched] == source[index] else { return false }
                matched += 1
            }
            index += length
        }
        return matched == expected.count
    }
}

extension NormalizationRuleSet.SourcesOfLength {
    func mapTargets(_ change: (Int32) -> Int32) -> Self {
        var changed = Self(length: length)
        for index in 0..<count { changed.append(source(index), target: change(targets[index])) }
        return changed
    }
}
