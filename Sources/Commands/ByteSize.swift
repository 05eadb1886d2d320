import ArgumentParser

/// A number of bytes as people and transformers write it: `5GB`, `1.5GB`, `500MB`, `2GiB`, `100000`.
struct ByteSize: ExpressibleByArgument {
    var bytes: Int

    init(bytes: Int) {
        self.bytes = bytes
    }

    var defaultValueDescription: String { "\(bytes) bytes" }

    init?(argument: String) {
        let text = argument.uppercased()
        let units = [
            ("KIB", 1 << 10), ("MIB", 1 << 20), ("GIB", 1 << 30), ("TIB", 1 << 40), ("KB", 1000), ("MB", 1_000_000),
            ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
        ]
        let (suffix, unit) = units.first { text.hasSuffix($0.0) } ?? ("", 1)
        let number = text.dropLast(suffix.count)
        if let whole = Int(number) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
            if overflow || whole <= 0 { return nil }
            bytes = product
        } else if unit > 1, let fraction = decimal(number), fraction > 0, fraction * Double(unit) < 0x1p62 {
            bytes = max(1, Int((fraction * Double(unit)).rounded()))
        } else {
            return nil
        }
    }
}

/// A number such as `1.5`; nil for what else Swift reads as one, as `1e3` and `inf`.
private func decimal(_ text: Substring) -> Double? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let isPlain =
        parts.count == 2
        && parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
    return isPlain ? Double(text) : nil
}
