/// Gathers text into paragraphs while a document is walked.
///
/// Line ends and other white space stay as the source has them: cleaning decides what becomes of them.
struct ParagraphCollector {
    private(set) var paragraphs: [[UInt8]] = []
    private var current: [UInt8] = []

    mutating func append(_ text: some Sequence<UInt8>) {
        current.append(contentsOf: text)
    }

    /// Ends the current paragraph, if it has begun.
    mutating func endParagraph() {
        if !current.isEmpty { paragraphs.append(current) }
        current = []
    }

    /// Drops the current paragraph.
    mutating func discardParagraph() {
        current = []
    }

    consuming func finish() -> [[UInt8]] {
        endParagraph()
        return paragraphs
    }
}
