internal import CICU

/// A block of the Unicode code charts, by ICU.
public struct UnicodeBlock: Hashable, Sendable {
    private let code: Int32

    /// The block of a code point; nil if it is in none.
    public init?(of scalar: Unicode.Scalar) {
        code = kuoci_icu_block(Int32(scalar.value))
        if code == kuoci_block_none { return nil }
    }

    /// As in Unicode's Blocks.txt: `CJK Unified Ideographs Extension A`.
    public var name: String {
        guard let name = kuoci_icu_block_name(code) else { return "block \(code)" }
        return String(String(cString: name).map { $0 == "_" ? " " : $0 })
    }

    /// Whether it holds Chinese characters and nothing else: the unified and the compatibility ideographs.
    public var isIdeographic: Bool {
        name.hasPrefix("CJK Unified Ideographs") || name.hasPrefix("CJK Compatibility Ideographs")
    }

    /// The blocks with CJK in their names and the characters that Unicode has assigned in them, in the order of code
    /// points.
    public static let cjk: [(block: UnicodeBlock, characters: [Unicode.Scalar])] = {
        var blocks: [(block: UnicodeBlock, characters: [Unicode.Scalar])] = []
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), let block = UnicodeBlock(of: scalar) else { continue }
            if block != blocks.last?.block { blocks.append((block, [])) }
            if UnicodeScript.age(of: value) != (255, 0) { blocks[blocks.count - 1].characters.append(scalar) }
        }
        return blocks.filter { $0.block.name.contains("CJK") }
    }()
}

extension Unicode.Scalar {
    /// Whether it is in a block of Chinese characters. Unlike `isHan` it leaves out 々, 〇, numerals and radicals.
    public var isInIdeographicBlock: Bool {
        value >= 0x2E80 && UnicodeBlock(of: self)?.isIdeographic == true
    }
}
