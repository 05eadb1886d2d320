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
    /// What trains and was no good before it: NaN or infinity in the model.
    let unsoundParameters: Set<String>

    /// Blocks in an optimizer step.
    var blocksPerStep: Int { options.blocksPerStep }
    var stepCount: Int { options.stepCount(places: places) }

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
        try options.checkSamplePrompts(tokenizer, limit: model.contextLimit(options.sampling))
        let config = try ModelConfig(contentsOf: options.model + "/config.json")
        let options = try options.resolvingRows(config)
        self.options = options
        let rows = model.configuration.vocabularySize
        let directory = try ranks.openRun {
            let directory = try RunDirectory(
                options.out, description: inputs.description(options), inputs: options.inputPaths,
                contents: inputs.contents, resume: resume, force: force)
            try Recipe(of: [options]).write(to: options.out)
            return directory
        }
        self.directory = directory
        var isKept = false
        defer { if !isKept { directory?.abandon() } }
        if ranks.isLeader, let place = options.recordBatches { try makeDirectory(place) }
        let checkpoints = CheckpointStore(options.out + "/checkpoints")
        self.checkpoints = checkpoints
        let caches = TokenCacheDirectory(
            options.cache ?? options.out + "/tokens", tokenizer: tokenizer, threads: options.threads,
            observer: observer)
        func pack(_ cache: TokenCache) -> PackedBlocks {
            PackedBlocks(cache, blockSize: options.blockSize, padding: tokenizer.endID, rows: rows)
        }
        do {
            let mix = try TrainingMix(options, padding: tokenizer.endID, rows: rows) { number in
                try ranks.leaderFirst {
                    try caches.tokens(
                        of: inputs.corpora[number], named: options.corpora[number].name, holdOut: options.heldOutShare)
                }
            }
            self.mix = mix
            sources = inputs.corpora
            let ownSets = mix.corpora.compactMap { corpus in
                corpus.text.heldOut.map { HeldOutSet(name: corpus.name, blocks: pack($0)) }
            }
            let namedSets = try inputs.heldOut.map { name, source in
                let text = try ranks.leaderFirst { try caches.tokens(of: source, named: name) }
                return HeldOutSet(name: name, blocks: pack(text.trained))
            }
            heldOut = ownSets + namedSets
        } catch is StopRequest {
            isKept = true
            throw PretrainingError.interrupted(step: 0, checkpoint: nil)
        }
        places = try mix.places(options)
        try options.checkMemory(config, places: places, processes: ranks.count)
        schedule = options.learningRateSchedule(steps: options.stepCount(places: places))
        try model.prepareTraining(options.trainableSet(config), seed: options.seed)
        unsoundParameters = Set(try model.trainableParameters.filter { try !$0.tensor.isFinite() }.map(\.name))
        model.checkpointsActivations = options.checkpointsActivations
        let gradientSums = GradientSums(
            model, sharded: options.shardsOptimizer, ranks: ranks,
            deviceSums: try ranks.deviceSums(computation, note: observer.note))
        self.gradientSums = gradientSums
        optimizer = try AdamW(
            options.optimizerParameters(model.trainableParameters, parts: gradientSums.parts),
            options: options.optimizerOptions)
        let found = try ranks.position {
            try checkpoints.newest { observer.note("passed over: \($0)") }?.position
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
        for line in inputs.doubts + doubts { observer.note(line) }
        isKept = true
    }

    /// What is allowed, but hardly meant: a line each.
    private var doubts: [String] {
        var lines: [String] = []
        if let limit = model.configuration.positionLimit, options.blockSize > limit {
            lines.append(
                "\(options.model): was made for \(limit) positions (max_position_embeddings), which a document can go"
                    + " beyond with --block-size \(options.blockSize)")
        }
        if stepCount > 0, schedule.warmupSteps >= stepCount {
            lines.append(
                "warm-up takes \(schedule.warmupSteps) steps, the run \(stepCount): it ends before the learning rate is at"
                    + " its peak")
        }
        for name in unsoundParameters.sorted() {
            lines.append("\(options.model): \(name) holds numbers that are not finite")
        }
        return lines
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
