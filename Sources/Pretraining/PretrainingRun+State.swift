import Collectives
import FileIO
import LlamaModels
import OrderedJSON
import Reports
import Safetensors
import Torch

extension PretrainingRun {
    private static let weightsName = "weights.safetensors"
    private static let optimizerName = "optimizer.safetensors"

    /// Saves what trains, the optimizer's state and the position; returns the checkpoint's path.
    ///
    /// With a sharded optimizer all processes take part.
    @discardableResult
    func saveCheckpoint() throws -> String {
        let path = checkpoints.path(step: position.step)
        guard try isSaveNeeded() else { return path }
        try requireFiniteWeights()
        guard ranks.isLeader else {
            try offerState()
            return path
        }
        try records?.synchronize()
        TorchRuntime.releaseKeptBlocks()
        try checkpoints.save(position, bytes: stateBytes) { staging in
            try writeTensors(staging + "/" + Self.weightsName, model.trainableParameters)
            let state = stateByName
            try writeTensors(staging + "/" + Self.optimizerName, statePlans) { try state[$0].map(wholeState) }
        }
        savedPosition = position
        observer.note("saved \(path)")
        return path
    }

    /// Whether this process has something to do for a checkpoint. Only the leader knows where the newest one stands.
    private func isSaveNeeded() throws -> Bool {
        let isSaved = position == savedPosition
        guard gradientSums.isSharded else { return ranks.isLeader && !isSaved }
        return try ranks.broadcast([isSaved ? 1 : 0]) == [0]
    }

    private var stateByName: [String: AdamW.StateTensor] {
        Dictionary(optimizer.state.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private var statePlans: [TensorPlan] {
        optimizer.state.map { TensorPlan(name: $0.name, type: $0.tensor.element.type, shape: $0.shape) }
    }

    /// Gives the leader this process's share of the optimizer's state, in the order in which it is written.
    private func offerState() throws {
        let state = stateByName
        for plan in safetensorsOrder(statePlans) { _ = try state[plan.name].map(wholeState) }
    }

    /// A tensor of the optimizer's state with all its shares, for the leader; the others give theirs.
    private func wholeState(_ state: AdamW.StateTensor) throws -> Tensor {
        guard gradientSums.isSharded, let parameter = state.parameter else { return state.tensor }
        let element = state.tensor.element
        let whole = ranks.isLeader ? try Tensor.zeros(state.shape, element) : nil
        // Parameters are cut between blocks of values, so that whatever belongs to a block is in one share.
        let cuts = gradientSums.shares.cuts[parameter].map { ($0 + state.unit - 1) / state.unit }
        try withExtendedLifetime((state, whole)) {
            try ranks.collect(
                state.tensor.elementBytes(), of: element.size, cuts: cuts, into: whole?.elementBytes())
        }
        return whole ?? state.tensor
    }

    /// Keeps what trains as it is now; the optimizer's state is not needed to write a result.
    func saveBest() throws {
        guard ranks.isLeader else { return }
        try requireFiniteWeights()
        try checkpoints.saveBest(position, bytes: trainedBytes) { staging in
            try writeTensors(staging + "/" + Self.weightsName, model.trainableParameters)
        }
    }

    /// Puts the best state in place of the last one; says why not where it is damaged.
    func restoreBest(_ best: BestEvaluation) throws -> Bool {
        let path = checkpoints.bestPath
        do {
            _ = try CheckpointStore.verify(path, step: best.step)
        } catch let error as TrainingDataError {
            observer.note("\(error)")
            return false
        }
        try restoreWeights(path)
        return true
    }

    /// Bytes of what trains and of the optimizer's state.
    var stateBytes: Int {
        optimizer.state.reduce(trainedBytes) { $0 + $1.shape.reduce($1.tensor.element.size, *) }
    }

    private var trainedBytes: Int { model.trainableParameters.reduce(0) { $0 + $1.tensor.byteCount } }

    /// - Throws: `PretrainingError.noRoom` if the disk cannot take what the run will write.
    func checkRoom() throws {
        let missing = CheckpointStore.keptCount + 1 - checkpoints.steps().count
        let states = options.saveEvery > 0 && position.step < stepCount ? max(0, missing) * stateBytes : 0
        let result = options.stage == .lora ? adapterBytes : try RunInputs.weightBytes(options.model)
        let best = options.keepsBest ? 2 * trainedBytes + result : 0
        try checkpoints.checkRoom(bytes: states + result + best, for: "what the run writes")
    }

    /// Takes over a checkpoint whose files are known to be whole.
    func restore(_ checkpoint: String) throws {
        try restoreWeights(checkpoint)
        let state = try SafetensorsFile(checkpoint + "/" + Self.optimizerName)
        try optimizer.restore { try state.tensor($0) }
    }

    private func restoreWeights(_ checkpoint: String) throws {
        let weights = try SafetensorsFile(checkpoint + "/" + Self.weightsName)
        for (name, tensor) in model.trainableParameters {
            guard let saved = try weights.tensor(name), saved.shape == tensor.shape else {
                throw TrainingDataError.damagedCheckpoint(path: checkpoint, reason: "\(name) is missing or misshapen")
            }
            try tensor.assign(saved)
        }
    }
}
