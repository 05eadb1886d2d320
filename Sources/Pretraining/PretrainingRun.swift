import Checkpoints
public import Collectives
import Corpora
import FileIO
import LlamaModels
import OrderedJSON
public import Partitioning
import Provenance
import Reports
import Torch

/// What a run tells while it works, and how it is asked to stop.
public struct RunObserver: Sendable {
    public var progress: ProgressHandler
    /// A line for the reader: accounts, evaluations, checkpoints.
    public var note: @Sendable (String) -> Void
    /// Asked before every micro-batch; once true, the state is saved and `PretrainingError.interrupted` thrown.
    public var isStopped: @Sendable () -> Bool

    public init(
        progress: @escaping ProgressHandler = { _ in }, note: @escaping @Sendable (String) -> Void = { _ in },
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) {
        self.progress = progress
        self.note = note
        self.isStopped = isStopped
    }
}

/// One stage of pretraining in one directory, from the text to the adapter or model.
public final class PretrainingRun {
    let options: PretrainingOptions
    let tokenizer: TrainingTokenizer
    /// Tells of the leader's work only.
    let observer: RunObserver
    /// Each takes its share of every step and evaluation; only the leader writes.
    let ranks: Collectives
    let model: LlamaModel
    let optimizer: AdamW
    let gradientSums: GradientSums
    /// nil but for the leader, which alone writes there.
    let directory: RunDirectory?
    let checkpoints: CheckpointStore
    /// What the mix was made from, corpus by corpus.
    let sources: [TextSource]
    var mix: TrainingMix
    let heldOut: [HeldOutSet]
    let schedule: LearningRateSchedule
    /// Places in the order of blocks that the run takes; the last step may take fewer than its share.
    let places: Int
    var position: RunPosition
    /// The files of the run's course; nil but for the leader.
    let records: RunRecords?
    /// Where the newest whole checkpoint stands; nil before there is one.
    var savedPosition: RunPosition?

    /// Blocks in an optimizer step.
    var blocksPerStep: Int { options.batchSize * options.accumulation }
    var stepCount: Int { (places + blocksPerStep - 1) / blocksPerStep }

    /// Reads the inputs, takes the run's directory and, with `resume`, the newest whole checkpoint in it.
    public init(
        _ options: PretrainingOptions, tokenizer: TrainingTokenizer, resume: Bool, force: Bool,
        observer: RunObserver = RunObserver(), ranks: Collectives = Collectives()
    ) throws {
        try options.validate()
        try options.checkShares(among: ranks)
        let computation = try options.computation(ranks)
        self.tokenizer = tokenizer
        self.ranks = ranks
        let observer = ranks.isLeader ? observer : RunObserver(isStopped: observer.isStopped)
        self.observer = observer
        let inputs = try RunInputs(options, tokenizer)
        try TorchRuntime.prepare(threads: options.threads, computation)
        model = try LlamaModel(directory: options.model, computation: computation)
        try tokenizer.check(model, path: options.model)
        let config = try ModelConfig(contentsOf: options.model + "/config.json")
        let options = try options.resolvingRows(config)
        self.options = options
        let rows = model.configuration.vocabularySize
        directory = try ranks.openRun {
            let directory = try RunDirectory(
                options.out, description: inputs.description(options), resume: resume, force: force)
            try Recipe(of: [options]).write(to: options.out)
            return directory
        }
        let checkpoints = CheckpointStore(options.out + "/checkpoints")
        self.checkpoints = checkpoints
        let caches = TokenCacheDirectory(
            options.cache ?? options.out + "/tokens", tokenizer: tokenizer, threads: options.threads,
            observer: observer)
        func pack(_ cache: TokenCache, attendsAcrossDocuments: Bool = false) -> PackedBlocks {
            PackedBlocks(
                cache, blockSize: options.blockSize, attendsAcrossDocuments: attendsAcrossDocuments,
                padding: tokenizer.endID, rows: rows)
        }
        do {
            let holdOut = options.holdOut > 0 ? HoldOut(share: options.holdOut) : nil
            let corpora = try zip(options.corpora, inputs.corpora).enumerated().map { number, corpus in
                let text = try ranks.leaderFirst {
                    try caches.tokens(of: corpus.1, named: corpus.0.name, holdOut: holdOut)
                }
                return TrainingMix.Corpus(
                    name: corpus.0.name, weight: corpus.0.weight, text: text,
                    blocks: pack(text.trained, attendsAcrossDocuments: options.attendsAcrossDocuments),
                    seed: options.seed, number: number)
            }
            mix = TrainingMix(corpora)
            sources = inputs.corpora
            let ownSets = corpora.compactMap { corpus in
                corpus.text.heldOut.map { HeldOutSet(name: corpus.name, blocks: pack($0)) }
            }
            let namedSets = try inputs.heldOut.map { name, source in
                let text = try ranks.leaderFirst { try caches.tokens(of: source, named: name) }
                return HeldOutSet(name: name, blocks: pack(text.trained))
            }
            heldOut = ownSets + namedSets
        } catch is StopRequest {
            throw PretrainingError.interrupted(step: 0, checkpoint: nil)
        }
        switch options.length {
        case .steps(let count): places = count * options.batchSize * options.accumulation
        case .epochs(let count):
            guard let count = mix.places(epochs: count) else {
                throw PretrainingError.badOption(
                    name: "--epochs", value: "\(count)", need: "is beyond what can be counted")
            }
            places = count
        }
        schedule = options.learningRateSchedule(
            steps: (places + options.batchSize * options.accumulation - 1) / (options.batchSize * options.accumulation))
        try model.prepareTraining(options.trainableSet(config), seed: options.seed)
        model.checkpointsActivations = options.checkpointsActivations
        let gradientSums = GradientSums(
            model, sharded: options.shardsOptimizer, ranks: ranks,
            deviceSums: try ranks.deviceSums(computation, note: observer.note))
        self.gradientSums = gradientSums
        optimizer = try AdamW(
            options.optimizerParameters(model.trainableParameters, parts: gradientSums.parts),
            options: options.optimizerOptions)
        let found = try ranks.position {
            checkpoints.newest { observer.note("passed over: \($0)") }?.position
        }
        let position = found ?? RunPosition(lossScale: options.precision == .fp16 ? LossScale() : nil)
        self.position = position
        records = ranks.isLeader ? try RunRecords(options.out, position) : nil
        savedPosition = found
        if let found {
            let path = checkpoints.path(step: found.step)
            try restore(path)
            observer.note("resumed after step \(found.step) from \(path)")
        } else if directory?.isResumed == true {
            observer.note("no checkpoint yet in \(options.out): starting from step 0")
        }
    }

    /// Trains to the end and writes the result; saves and throws when asked to stop.
    public func run() throws -> PretrainingSummary {
        if ranks.isLeader { try checkRoom() }
        try noteAccounts()
        let clock = StepClock()
        do {
            try train(clock)
        } catch is StopRequest {
            try ranks.stop()
            throw try interruption()
        } catch CollectivesError.stopped {
            throw try interruption()
        }
        let summary = try summarize(clock)
        if ranks.isLeader { try writeResult(summary) }
        // Another stage may begin with the result.
        try ranks.synchronize()
        return summary
    }

    /// Saves what there is to save, and says so in one process.
    private func interruption() throws -> any Error {
        let saved = position.step > 0 ? try saveCheckpoint() : nil
        guard ranks.isLeader else { return CollectivesError.stopped }
        return PretrainingError.interrupted(step: position.step, checkpoint: saved)
    }

    private func train(_ clock: StepClock) throws {
        var machine: MachineRate?
        while true {
            if !position.isEvaluated {
                if isEvaluationDue { try clock.measureEvaluation { try evaluateHeldOut() } }
                position.isEvaluated = true
                if isSaveDue { try saveCheckpoint() }
            }
            if isFinished { return }
            let rate = try machine ?? measureMachine()
            machine = rate
            let record = try clock.measureStep { try trainStep() }
            try recordTimes(record, clock, rate)
            showProgress(record, clock)
        }
    }

    private var isFinished: Bool { position.step >= stepCount || position.isEvaluated && isStoppedEarly }

    private var isEvaluationDue: Bool {
        let step = position.step
        let isRegular = options.evaluateEvery > 0 && step.isMultiple(of: options.evaluateEvery)
        return (!heldOut.isEmpty || !options.samplePrompts.isEmpty)
            && (step == 0 || step == stepCount || isRegular)
    }

    private var isSaveDue: Bool {
        // The last step's is what a later run could go on from.
        position.step > 0 && options.saveEvery > 0
            && (position.step.isMultiple(of: options.saveEvery) || isFinished)
    }
}

/// Thrown inside a run to leave a step that is not worth finishing.
struct StopRequest: Error {}
