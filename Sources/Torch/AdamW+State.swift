extension AdamW {
    /// One tensor of what a checkpoint must hold.
    public struct StateTensor {
        public let name: String
        /// Shares the optimizer's memory; of a parameter of which only a part moves, that part alone.
        public let tensor: Tensor
        /// That of the whole parameter's state.
        public let shape: [Int]
        /// The parameter's place among all; nil for a tensor that is the same whatever part moves.
        public let parameter: Int?
        /// Elements of the parameter for which the tensor has one.
        public let unit: Int
        fileprivate let part: Range<Int>
    }

    /// What a checkpoint must hold: for each parameter `NAME.exp_avg`, `NAME.exp_avg_sq` and the scalar `NAME.step`; beside
    /// moments in 8 bits their `NAME.exp_avg.absmax` and `NAME.exp_avg_sq.absmax`.
    public var state: [StateTensor] {
        slots.enumerated().flatMap { place, slot in
            let moments = [("exp_avg", slot.mean), ("exp_avg_sq", slot.square)].flatMap { name, moment in
                tensors(moment, "\(slot.name).\(name)", slot, place)
            }
            let step = StateTensor(
                name: "\(slot.name).step", tensor: slot.step, shape: [], parameter: nil, unit: 1, part: 0..<1)
            return moments + [step]
        }
    }

    private func tensors(_ moment: Moment, _ name: String, _ slot: Slot, _ place: Int) -> [StateTensor] {
        let values = StateTensor(
            name: name, tensor: moment.values, shape: slot.parameter.shape, parameter: place, unit: 1, part: slot.part)
        guard let absmax = moment.absmax else { return [values] }
        let first = slot.part.lowerBound / MomentStorage.blockSize
        return [
            values,
            StateTensor(
                name: name + ".absmax", tensor: absmax, shape: [MomentStorage.blocks(slot.parameter.count)],
                parameter: place, unit: MomentStorage.blockSize, part: first..<first + absmax.count),
        ]
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
            guard value.element == entry.tensor.element else {
                throw TorchError.wrongElement(
                    name: entry.name, expected: entry.tensor.element, found: value.element)
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
