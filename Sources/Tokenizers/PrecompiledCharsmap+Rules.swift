import UnicodeText

extension PrecompiledCharsmap {
    /// A rule: what is replaced, and by what, as UTF-8.
    package struct Rule: Sendable, Equatable {
        package var source: [UInt8]
        package var target: [UInt8]
    }

    /// All rules, by source in byte order.
    package var rules: [Rule] {
        var rules: [Rule] = []
        trie.forEachKey { key, value in
            rules.append(Rule(source: key, target: Array(target(at: value))))
        }
        return rules
    }
}

extension PrecompiledCharsmap.Rule {
    /// The rule as a line of a rule file, with its characters as a remark.
    ///
    /// Backspaces, line feeds and their like, which would break the line, are shown as spaces.
    package var line: [UInt8] {
        let line = Array("\(codePoints(source))\t\(codePoints(target))\t# ".utf8) + source + Array(" => ".utf8) + target
        return line.map { [0x08, 0x0A, 0x0B, 0x0C, 0x0D].contains($0) ? 0x20 : $0 } + [0x0A]
    }

    private func codePoints(_ bytes: [UInt8]) -> String {
        var words: [String] = []
        bytes.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < bytes.count {
                let (scalar, length) = UTF8Scalars.decode(bytes, at: index)
                words.append(String(scalar, radix: 16, uppercase: true))
                index += length
            }
        }
        return words.joined(separator: " ")
    }
}

extension DoubleArrayTrie {
    /// Calls `body` with each key and its value, in byte order.
    ///
    /// Of a trie from a file whose units lead in circles only keys of up to a thousand bytes are seen.
    func forEachKey(_ body: ([UInt8], Int) -> Void) {
        units.withUnsafeBufferPointer { units in
            var key: [UInt8] = []
            var open = [(walk: Walk(units), next: 0)]
            while let (walk, next) = open.last {
                if next > 255 || open.count > 1000 {
                    open.removeLast()
                    _ = key.popLast()
                    continue
                }
                open[open.count - 1].next = next + 1
                var child = walk
                if !child.step(UInt8(next)) { continue }
                key.append(UInt8(next))
                if let value = child.value { body(key, value) }
                open.append((child, 0))
            }
        }
    }
}
