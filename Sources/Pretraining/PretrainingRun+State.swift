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
    @discardableResult
    func saveCheckpoint() throws -> String {
        if position == savedPosition || !ranks.isLeader { return checkpoints.path(step: position.step) }
        try records?.synchronize()
        let path = try checkpoints.save(position, bytes: stateBytes) { staging in
            try writeTensors(staging + "/" + Self.weightsName, model.trainableParameters)
            try writeTensors(staging + "/" + Self.optimizerName, optimizer.state)
        }
        savedPosition = position
        observer.note("saved \(path)")
        return path
    }

    /// Keeps what trains as it is now; the optimizer's state is not needed to write a result.
    func saveBest() throws {
        guard ranks.isLeader else { return }
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
        trainedBytes + optimizer.state.reduce(0) { $0 + $1.tensor.byteCount }
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
