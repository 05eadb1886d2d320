import Collectives
import LlamaModels
import Torch

/// The gradients of all processes added up, in the end or each bucket as soon as it is complete, while those of earlier
/// layers are still being computed.
final class GradientSums {
    let shares: ParameterShares
    /// Whether each process gets the sums of its share alone.
    let isSharded: Bool
    private let parameters: [Tensor]
    private let ranks: Collectives
    /// nil where MPI adds up.
    private let deviceSums: DeviceSums?
    private var isComplete: [Bool]
    /// The first bucket whose sum is not started.
    private var next = 0
    /// Gradients on another device, and what their sums are made in.
    private var copies: [(gradient: Tensor, sum: Tensor)] = []
    /// What went wrong where nothing could be thrown.
    private var failure: (any Error)?

    init(_ model: LlamaModel, sharded: Bool, ranks: Collectives, deviceSums: DeviceSums? = nil) {
        parameters = model.trainableParameters.map(\.tensor)
        shares = ParameterShares(
            sizes: parameters.map(\.count), order: model.gradientOrder, processes: ranks.count, unit: gradientNormPart)
        isSharded = sharded && ranks.count > 1
        isComplete = parameters.map { _ in false }
        self.ranks = ranks
        self.deviceSums = isSharded ? nil : deviceSums
    }

    /// What this process knows of each gradient's sum.
    var parts: [Range<Int>] {
        parameters.indices.map { place in
            isSharded ? shares.part(of: place, process: ranks.rank) : 0..<parameters[place].count
        }
    }

    /// Takes a gradient to which this process adds nothing more in this step.
    func complete(_ parameter: Int) {
        if deviceSums != nil { return }
        isComplete[parameter] = true
        do {
            while next < shares.buckets.count, shares.buckets[next].allSatisfy({ isComplete[$0] }) {
                try startNext(waits: false)
            }
        } catch {
            failure = failure ?? error
        }
    }

    /// Waits for all sums of this step. A process that had nothing to do has no gradients of its own.
    func finish() throws {
        if let failure { throw failure }
        if let deviceSums {
            try sumOnDevice(deviceSums)
        } else if ranks.count > 1 {
            while next < shares.buckets.count { try startNext(waits: true) }
            try ranks.finishSums()
            for (gradient, sum) in copies { try gradient.assign(sum) }
        }
        copies = []
        next = 0
        isComplete = isComplete.map { _ in false }
    }

    /// Once all have come here: the library does not hear of a process that fails.
    private func sumOnDevice(_ sums: DeviceSums) throws {
        let gradients = try parameters.map { try gradient(of: $0) }
        try ranks.synchronize()
        for gradient in gradients {
            if let address = try gradient.address() { try sums.sum(address, count: gradient.count) }
        }
    }

    private func gradient(of parameter: Tensor) throws -> Tensor {
        try parameter.assureGradient()
        guard let gradient = try parameter.gradient() else { preconditionFailure("a gradient is gone") }
        return gradient
    }

    private func startNext(waits: Bool) throws {
        let arrays = try shares.buckets[next].map { place in
            let gradient = try gradient(of: parameters[place])
            // MPI adds up what is in the processes' memory.
            let own = try gradient.converted(on: .cpu)
            if gradient.device != .cpu { copies.append((gradient, own)) }
            return try SharedArray(own.floatElements(), owner: own, cuts: shares.cuts[place])
        }
        ranks.startSum(arrays, handsOut: !isSharded, waits: waits)
        next += 1
    }

    /// The Euclidean norm of all sums together, divided by `scale`, before they are divided by it too and scaled down to at
    /// most `limit`.
    func clip(limit: Double, scale: Double) throws -> Double {
        try clipGradientNorm(parameters, limit: limit, scale: scale, parts: parts) {
            isSharded ? try ranks.sum($0) : $0
        }
    }

    /// Gives each process what the others made of their shares of the parameters.
    func shareParameters() throws {
        guard isSharded else { return }
        try ranks.share(
            zip(parameters, shares.cuts).map { try SharedArray($0.floatElements(), owner: $0, cuts: $1) })
    }
}
