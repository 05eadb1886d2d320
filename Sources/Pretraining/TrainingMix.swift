import SeededRandom

/// The corpora that a run trains on, each going round in an endless order of its own, interleaved by their weights.
///
/// Which block stands at a place follows from the place, the weights and the seed, so a resumed run needs no state.
package struct TrainingMix {
    package struct Corpus {
        package let name: String
        package let weight: MixWeight
        package let text: TokenizedText
        package let blocks: PackedBlocks
        fileprivate var order: BlockOrder

        /// - Parameters:
        ///   - blocks: of the trained part of `text`, at least one.
        ///   - number: gives the corpora of a run, from 0, orders of their own.
        package init(
            name: String, weight: MixWeight, text: TokenizedText, blocks: PackedBlocks, seed: UInt64, number: Int
        ) {
            self.name = name
            self.weight = weight
            self.text = text
            self.blocks = blocks
            var generator = SplitMix64(seed: seed, purpose: UInt64(number))
            order = BlockOrder(blockCount: blocks.blockCount, seed: number == 0 ? seed : generator.next())
        }
    }

    package private(set) var corpora: [Corpus]
    private var schedule: MixSchedule

    package init(_ corpora: [Corpus]) {
        self.corpora = corpora
        schedule = MixSchedule(corpora.map(\.weight))
    }

    /// A block of one of the corpora.
    package struct Block: Sendable, Equatable {
        package let corpus: Int
        package let number: Int
    }

    /// The blocks at places of the run.
    package mutating func blocks(_ places: Range<Int>) -> [Block] {
        schedule.turns(places).map { corpus, place in
            Block(corpus: corpus, number: corpora[corpus].order.block(at: place))
        }
    }

    package func row(_ block: Block) throws -> PackedBlocks.Row {
        try corpora[block.corpus].blocks.row(block.number)
    }

    /// The documents of its corpus' trained part that a block holds ids of.
    package func documents(in block: Block) -> Range<Int> {
        corpora[block.corpus].blocks.documents(inBlock: block.number)
    }

    /// How many times each corpus has been gone over before a place.
    package mutating func epochs(before place: Int) -> [Double] {
        zip(corpora, schedule.counts(before: place)).map { Double($1) / Double($0.blocks.blockCount) }
    }

    /// The places of a run that goes over the first corpus so many times, and over the others as their weights say.
    package mutating func places(epochs: Int) -> Int? {
        let (blocks, isTooMany) = corpora[0].blocks.blockCount.multipliedReportingOverflow(by: epochs)
        return isTooMany ? nil : schedule.places(of: 0, count: blocks)
    }

    /// Where every id goes in a run of so many places.
    package mutating func accounts(places: Int) -> [CorpusAccount] {
        schedule.counts(before: places).enumerated().map { index, taken in
            CorpusAccount(corpora[index], taken: taken, trained: corpora[index].trainedTargets(taken: taken))
        }
    }
}

extension TrainingMix.Corpus {
    /// Targets of the different blocks among the first `taken` of the corpus' order.
    fileprivate mutating func trainedTargets(taken: Int) -> Int {
        if taken >= blocks.blockCount { return blocks.targetCount }
        return (0..<taken).reduce(0) { $0 + blocks.targetCount(ofBlock: order.block(at: $1)) }
    }
}
