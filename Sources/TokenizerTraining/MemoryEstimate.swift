import Foundation
public import PieceModel

/// About how many bytes of memory training takes, from the size of the files alone.
///
/// The factors lie above what was measured on Chinese text of 12 to 48 MB; text that repeats itself takes less, since
/// each distinct word is kept once.
public func estimatedMemory(_ specification: Sentencepiece_TrainerSpec) -> Int {
    let sizes = specification.input.map { path in
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        // Text is packed to about a third.
        return path.hasSuffix(".gz") || path.hasSuffix(".zst")
            ? size.multipliedReportingOverflow(by: 3).partialValue : size
    }
    var text = sizes.reduce(0, +)
    if specification.inputSentenceSize > 0 {
        let most = Int(clamping: specification.inputSentenceSize)
            .multipliedReportingOverflow(by: Int(specification.maxSentenceLength))
        if !most.overflow { text = min(text, most.partialValue) }
    }
    let factor =
        switch specification.modelType {
        case .bpe: 6
        case .char, .word: 5
        case .unigram: 13
        }
    return 40 << 20 + text * factor
}
