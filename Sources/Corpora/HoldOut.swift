import FileIO

/// Which documents are set aside: a share of all, chosen by the SHA-256 of their bytes alone.
///
/// So a document is held out or not in every file, order and run alike, and its duplicates with it; of a larger share a
/// smaller one is a part. `kuoci corpus` sets documents aside by another hash (`ContentHash`): of what it left for training,
/// a choice by that one would take nothing.
package struct HoldOut: Sendable, Equatable {
    /// Above 0, below 1.
    package let share: Double

    package init(share: Double) {
        self.share = share
    }

    /// Whether the hash's first 53 bits, taken as a fraction, lie below the share.
    package func takes(_ document: [UInt8]) -> Bool {
        let hash = SHA256()
        hash.update(document)
        let leading = hash.digest().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        return Double(leading >> 11) < share * 0x1p53
    }
}
