internal import CTorch

/// AdamW over named parameters, with a state beside them that can be saved and restored exactly.
public final class AdamW {
    public struct Options: Sendable, Equatable {
        public var beta1 = 0.9
        public var beta2 = 0.95
        public var epsilon = 1e-8
        /// Decay of matrices; vectors (norms, biases) never decay.
        public var weightDecay = 0.1
        /// Of parameters that are not small.
        public var storage = MomentStorage.fp32

        public init(
            beta1: Double = 0.9, beta2: Double = 0.95, epsilon: Double = 1e-8, weightDecay: Double = 0.1,
            storage: MomentStorage = .fp32
        ) {
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.storage = storage
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

        /// - Parameter part: nil: all elements. Bounds at multiples of 64, or of `MomentStorage.blockSize` where
        /// moments have 8 bits, give the bits that the whole would have there.
        public init(name: String, tensor: Tensor, rateShare: Double = 1, part: Range<Int>? = nil) {
            self.name = name
            self.tensor = tensor
            self.rateShare = rateShare
            self.part = part ?? 0..<tensor.count
        }
    }

    struct Slot {
        let name: String
        let parameter: Tensor
        let part: Range<Int>
        /// Of the part; in the parameter's shape where that is the whole.
        let mean: Moment
        let square: Moment
        let step: Tensor
    }

    public let options: Options
    let slots: [Slot]
    /// Slots that step alike.
    private let groups: [Group]

    private struct Group {
        let rateShare: Double
        let decays: Bool
        let storage: MomentStorage
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
            let storage = options.storage.of(count: parameter.tensor.count)
            let slot = Slot(
                name: parameter.name, parameter: parameter.tensor, part: parameter.part,
                mean: try Moment(storage, shape: stateShape, on: device),
                square: try Moment(storage, shape: stateShape, on: device), step: try .zeros([], on: device))
            slots.append(slot)
            let group = Group(rateShare: parameter.rateShare, decays: shape.count > 1, storage: storage)
            let place = groups.firstIndex {
                $0.rateShare == group.rateShare && $0.decays == group.decays && $0.storage == storage
            }
            if place == nil { groups.append(group) }
            groups[place ?? groups.count - 1].slots.append(slot)
        }
        self.slots = slots
        self.groups = groups
    }

    /// Moves every parameter that has a gradient, at `learningRate` times its own share.
    public func step(learningRate: Double) throws(TorchError) {
        for group in groups {
            let (rate, decay) = (learningRate * group.rateShare, group.decays ? options.weightDecay : 0)
            switch group.storage {
            case .fp32: try step(group.slots, rate, decay: decay)
            case .int8: try stepQuantized(group.slots, rate, decay: decay)
            }
        }
    }

    private func step(_ group: [Slot], _ learningRate: Double, decay: Double) throws(TorchError) {
        try check(
            kuoci_adamw_step(
                group.map { $0.parameter.handle }, group.map { Int64($0.part.lowerBound) },
                group.map { Int64($0.part.count) }, group.map { $0.mean.values.handle },
                group.map { $0.square.values.handle }, group.map { $0.step.handle }, Int32(group.count), learningRate,
                options.beta1, options.beta2, decay, options.epsilon),
            "AdamW")
    }

    private func stepQuantized(_ group: [Slot], _ learningRate: Double, decay: Double) throws(TorchError) {
        let slots = group.map { slot in
            kuoci_quantized_slot(
                parameter: slot.parameter.handle, start: Int64(slot.part.lowerBound), length: Int64(slot.part.count),
                mean: slot.mean.values.handle, mean_absmax: slot.mean.absmax?.handle,
                square: slot.square.values.handle, square_absmax: slot.square.absmax?.handle, step: slot.step.handle)
        }
        try check(
            kuoci_quantized_adamw_step(
                slots, Int32(slots.count), learningRate, options.beta1, options.beta2, decay, options.epsilon),
            "AdamW")
    }

    public func clearGradients() throws(TorchError) {
        for slot in slots { try slot.parameter.clearGradient() }
    }
}
