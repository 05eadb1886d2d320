public import OrderedJSON

/// Where every id of a corpus goes in a run.
///
/// `ids` is the sum of `trained`, `heldOut`, `notReached` and `notPredicted`.
public struct CorpusAccount: Sendable, Equatable {
    public var name: String
    public var weight: MixWeight
    /// With those held out, as all counts of the text.
    public var documents: Int
    public var heldOutDocuments: Int
    /// Bytes of the documents, line ends not counted.
    public var textBytes: Int
    public var ids: Int
    /// Ids that training predicts, once or more often.
    public var trained: Int
    /// Ids that only evaluations predict.
    public var heldOut: Int
    /// Ids in blocks that the run ends before.
    public var notReached: Int
    /// Ids that nothing predicts: those that begin a document, or a block where documents see one another.
    public var notPredicted: Int
    public var blocks: Int
    /// Filled-up places in the last block.
    public var padding: Int
    /// Blocks that the run takes, a repeated one counted again.
    public var takenBlocks: Int
    let blockSize: Int
    let remarks: String

    init(_ corpus: TrainingMix.Corpus, taken: Int, trained: Int) {
        let (blocks, counts) = (corpus.blocks, corpus.text.trained.counts)
        let heldOut = corpus.text.heldOut?.counts ?? TokenCache.Counts()
        name = corpus.name
        weight = corpus.weight
        documents = counts.documents + heldOut.documents
        heldOutDocuments = heldOut.documents
        textBytes = counts.textBytes + heldOut.textBytes
        ids = counts.tokens + heldOut.tokens
        self.trained = trained
        self.heldOut = heldOut.targets
        notReached = blocks.targetCount - trained
        notPredicted = counts.tokens - blocks.targetCount + heldOut.tokens - heldOut.targets
        self.blocks = blocks.blockCount
        padding = blocks.paddingCount
        takenBlocks = taken
        blockSize = blocks.blockSize
        remarks = counts.remarks
    }

    /// How many times the run goes over the corpus.
    public var epochs: Double { Double(takenBlocks) / Double(blocks) }
}

extension CorpusAccount {
    public var json: JSONValue {
        [
            "name": .string(name), "weight": .number(weight.description), "documents": .integer(documents),
            "held_out_documents": .integer(heldOutDocuments), "bytes": .integer(textBytes), "ids": .integer(ids),
            "trained": .integer(trained), "held_out": .integer(heldOut), "not_reached": .integer(notReached),
            "not_predicted": .integer(notPredicted), "blocks": .integer(blocks), "padding": .integer(padding),
            "taken_blocks": .integer(takenBlocks), "epochs": .double(epochs),
        ]
    }

    /// The sum for people: `zh: 9 ids = 5 trained on + 0 held out + 2 not reached + 2 never predicted`.
    public var sum: String {
        "\(name): \(ids) ids = \(trained) trained on + \(heldOut) held out + \(notReached) not reached"
            + " + \(notPredicted) never predicted"
    }

    /// What the text is and how the run takes it.
    var lines: [String] {
        let part = heldOutDocuments > 0 ? " (\(heldOutDocuments) of them held out)" : ""
        return [
            "\(name): \(documents) documents\(part), \(textBytes) bytes\(remarks)", sum,
            "\(name): \(blocks) blocks of \(blockSize), the last filled up by \(padding); the run takes \(takenBlocks)"
                + " = \(rounded(epochs, 3)) times the text",
        ]
    }
}

extension TokenCache.Counts {
    /// What was left out or mended, if anything was: `; 3 blank lines left out`.
    fileprivate var remarks: String {
        [
            (blankLines, "blank lines left out"), (repairedLines, "lines mended that were not UTF-8"),
            (nulBytes, "NUL bytes left out"),
        ]
        .filter { $0.0 > 0 }.map { "; \($0.0) \($0.1)" }.joined()
    }
}
