/// What a loss in fp16 is multiplied by on its way back, so that small gradients do not become zero; the gradients are divided
/// by it in float32.
///
/// It halves where a gradient is too large for fp16, and doubles after many steps in which none was, as PyTorch's GradScaler.
public struct LossScale: Sendable, Equatable {
    public private(set) var value: Double
    /// Steps since it last changed.
    public private(set) var goodSteps: Int

    static let stepsToDouble = 2000
    /// float32, in which gradients are scaled, has no more.
    static let most = 0x1p100

    public init(value: Double = 65536, goodSteps: Int = 0) {
        precondition(value >= 1, "a loss scale below 1")
        self.value = value
        self.goodSteps = goodSteps
    }

    /// Whether a gradient that is no finite number may be the scale's fault: then the step is skipped.
    public var canHalve: Bool { value > 1 }

    /// After a skipped step.
    public mutating func halve() {
        value = max(1, value / 2)
        goodSteps = 0
    }

    /// After a step that was done.
    public mutating func recordGoodStep() {
        goodSteps += 1
        guard goodSteps == Self.stepsToDouble else { return }
        value = min(Self.most, value * 2)
        goodSteps = 0
    }
}
