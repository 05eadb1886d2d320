internal import CTorch

/// AdamW over named parameters, with a state beside them that can be saved and restored exactly.
public final class AdamW {
    public struct Options: Sendable, Equatable {
        public var beta1 = 0.9
        public var beta2 = 0.95
        public var epsilon = 1e-8
        /// Decay of matrices; vectors (norms, biases) never decay.
        public var weightDecay = 0.1

        public init(beta1: Double = 0.9, beta2: Double = 0.95, epsilon: Double = 1e-8, weightDecay: Double = 0.1) {
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
        }
    }

    /// What sets a parameter apart from the others of its optimizer.
    public struct Parameter {
        public let name: String
        public let tensor: Tensor
        /// Its learning rate as a share of that of the step.
        public let rateShare: Double

        public init(name: String, tensor: Tensor, rateShare: Double = 1) {
            self.name = name
            self.tensor = tensor
            self.rateShare = rateShare
        }
    }

    private struct Slot {
        let name: String
        let parameter: Tensor
        let mean: Tensor
        let square: Tensor
        let step: Tensor
    }

    public let options: Options
    private let slots: [Slot]
    /// Slots that step alike.
    private let groups: [Group]

    private struct Group {
        let rateShare: Double
        let decays: Bool
        var slots: [Slot] = []
    }

    public convenience init(
        parameters: [(name: String, tensor: Tensor)], options: Options = Options()
    ) throws(TorchError) {
        try self.init(parameters.map { Parameter(name: $0.name, tensor: $0.tensor) }, options: options)
    }

    public init(_ parameters: [Parameter], options: Options = Options()) throws(TorchError) {
        self.options = options
        var slots: [Slot] = []
        var groups: [Group] = []
        for parameter in parameters {
            let (shape, device) = (parameter.tensor.shape, parameter.tensor.device)
            let slot = Slot(
                name: parameter.name, parameter: parameter.tensor, mean: try .zeros(shape, on: device),
                square: try .zeros(shape, on: device), step: try .zeros([], on: device))
            slots.append(slot)
            let group = Group(rateShare: parameter.rateShare, decays: shape.count > 1)
            let place = groups.firstIndex { $0.rateShare == group.rateShare && $0.decays == group.decays }
            if place == nil { groups.append(group) }
            groups[place ?? groups.count - 1].slots.append(slot)
        }
        self.slots = slots
        self.groups = groups
    }

    /// Moves every parameter that has a gradient, at `learningRate` times its own share.
    public func step(learningRate: Double) throws(TorchError) {
        for group in groups {
            try step(
                group.slots, learningRate * group.rateShare, decay: group.decays ? options.weightDecay : 0)
        }
    }

    private func step(_ group: [Slot], _ learningRate: Double, decay: Double) throws(TorchError) {
        try check(
            kuoci_adamw_step(
                group.map { $0.parameter.handle }, group.map { $0.mean.handle }, group.map { $0.square.handle },
                group.map { $0.step.handle }, Int32(group.count), learningRate, options.beta1, options.beta2, decay,
                options.epsilon),
            "AdamW")
    }

    public func clearGradients() throws(TorchError) {
        for slot in slots { try slot.parameter.clearGradient() }
    }

    /// What a checkpoint must hold: for each parameter `NAME.exp_avg`, `NAME.exp_avg_sq` and the scalar `NAME.step`,
    /// sharing the optimizer's memory.
    public var state: [(name: String, tensor: Tensor)] {
        slots.flatMap {
            [("\($0.name).exp_avg", $0.mean), ("\($0.name).exp_avg_sq", $0.square), ("\($0.name).step", $0.step)]
        }
    }

    /// Takes over a saved state; `saved` gives the tensor of a name, or nil where there is none.
    ///
    /// Everything is looked up before anything is overwritten.
    public func restore<E: Error>(_ saved: (String) throws(E) -> Tensor?) throws {
        var values: [(Tensor, Tensor)] = []
        for (name, tensor) in state {
            guard let value = try saved(name) else { throw TorchError.missingState(name: name) }
            guard value.shape == tensor.shape else {
                throw TorchError.wrongShape(name: name, expected: tensor.shape, found: value.shape)
            }
            values.append((tensor, value))
        }
        for (tensor, value) in values { try tensor.assign(value) }
    }
}
