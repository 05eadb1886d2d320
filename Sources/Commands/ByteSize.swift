import ArgumentParser

/// A number of bytes as people and transformers write it: `5GB`, `500MB`, `2GiB`, `100000`.
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
        guard let number = Int(text.dropLast(suffix.count)), number > 0 else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        if overflow { return nil }
        bytes = product
    }
}
