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
        /// The elements that this optimizer moves; the others keep what they are.
        public let part: Range<Int>

        /// - Parameter part: nil: all elements. Bounds at multiples of 64 give the bits that the whole would have there.
        public init(name: String, tensor: Tensor, rateShare: Double = 1, part: Range<Int>? = nil) {
            self.name = name
            self.tensor = tensor
            self.rateShare = rateShare
            self.part = part ?? 0..<tensor.count
        }
    }

    private struct Slot {
        let name: String
        let parameter: Tensor
        let part: Range<Int>
        /// Of the part; in the parameter's shape where that is the whole.
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
            let stateShape = parameter.part.count == parameter.tensor.count ? shape : [parameter.part.count]
            let slot = Slot(
                name: parameter.name, parameter: parameter.tensor, part: parameter.part,
                mean: try .zeros(stateShape, on: device), square: try .zeros(stateShape, on: device),
                step: try .zeros([], on: device))
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
                group.map { $0.parameter.handle }, group.map { Int64($0.part.lowerBound) },
                group.map { Int64($0.part.count) }, group.map { $0.mean.handle }, group.map { $0.square.handle },
                group.map { $0.step.handle }, Int32(group.count), learningRate, options.beta1, options.beta2, decay,
                options.epsilon),
            "AdamW")
    }

    public func clearGradients() throws(TorchError) {
        for slot in slots { try slot.parameter.clearGradient() }
    }

    /// One tensor of what a checkpoint must hold.
    public struct StateTensor {
        public let name: String
        /// Shares the optimizer's memory; of a parameter of which only a part moves, that part alone.
        public let tensor: Tensor
        /// That of the whole parameter's state.
        public let shape: [Int]
        /// The parameter's place among all; nil for a tensor that is the same whatever part moves.
        public let parameter: Int?
        fileprivate let part: Range<Int>
    }

    /// What a checkpoint must hold: for each parameter `NAME.exp_avg`, `NAME.exp_avg_sq` and the scalar `NAME.step`.
    public var state: [StateTensor] {
        slots.enumerated().flatMap { place, slot in
            let moments = [("exp_avg", slot.mean), ("exp_avg_sq", slot.square)].map { name, tensor in
                StateTensor(
                    name: "\(slot.name).\(name)", tensor: tensor, shape: slot.parameter.shape, parameter: place,
                    part: slot.part)
            }
            let step = StateTensor(
                name: "\(slot.name).step", tensor: slot.step, shape: [], parameter: nil, part: 0..<1)
            return moments + [step]
        }
    }

    /// Takes over a saved state, or of it the parts that move here; `saved` gives the whole tensor of a name, or nil where
    /// there is none.
    ///
    /// Everything is looked up before anything is overwritten.
    public func restore<E: Error>(_ saved: (String) throws(E) -> Tensor?) throws {
        var values: [(Tensor, Tensor)] = []
        for entry in state {
            guard let value = try saved(entry.name) else { throw TorchError.missingState(name: entry.name) }
            guard value.shape == entry.shape else {
                throw TorchError.wrongShape(name: entry.name, expected: entry.shape, found: value.shape)
            }
            let isWhole = entry.part.count == value.count
            // A copy: the whole is not to stay in memory for the sake of its part.
            values.append((entry.tensor, isWhole ? value : try value.elements(entry.part).copied()))
        }
        for (tensor, value) in values { try tensor.assign(value) }
    }
}

extension Tensor {
    /// Elements of a tensor, row-major, as a vector.
    fileprivate func elements(_ range: Range<Int>) throws(TorchError) -> Tensor {
        try reshaped([count]).narrowed(start: range.lowerBound, length: range.count)
    }
}
