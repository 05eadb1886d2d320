internal import CTorch

/// Where a tensor lies, and is computed with.
public enum ComputeDevice: Sendable, Hashable {
    case cpu
    /// A CUDA device of this machine, counted from 0.
    case cuda(Int)

    /// CUDA devices that can be computed on here.
    public static var cudaCount: Int { Int(kuoci_cuda_devices()) }

    var number: Int32 {
        switch self {
        case .cpu: Int32(kuoci_cpu)
        case .cuda(let index): Int32(index)
        }
    }

    init(number: Int32) {
        self = number < 0 ? .cpu : .cuda(Int(number))
    }
}

extension ComputeDevice: CustomStringConvertible {
    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        }
    }
}

/// The device that a user asks for: `cpu`, `cuda` or `cuda:N`.
public enum DeviceChoice: Sendable, Hashable {
    case cpu
    /// The device of this number; nil gives each process of a machine its own.
    case cuda(Int?)

    /// nil for a text that names no device.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("cpu", 1): self = .cpu
        case ("cuda", 1): self = .cuda(nil)
        case ("cuda", _):
            guard let index = Int(parts[1]), (0..<128).contains(index) else { return nil }
            self = .cuda(index)
        default: return nil
        }
    }

    /// What kind of device it is; which of several decides no result.
    public var kind: String { self == .cpu ? "cpu" : "cuda" }
}

extension DeviceChoice: CustomStringConvertible {
    public var description: String {
        if case .cuda(let index?) = self { "cuda:\(index)" } else { kind }
    }
}

/// What products of matrices and attention are computed in; sums of squares, softmax and the loss are float32 in all of them,
/// and so is whatever trains.
public enum Precision: String, Sendable, CaseIterable {
    case fp32
    case bf16
    /// With a `LossScale`.
    case fp16

    public var element: ElementType {
        switch self {
        case .fp32: .float32
        case .bf16: .bfloat16
        case .fp16: .float16
        }
    }
}

/// On what and in what a model is computed: the one place that decides both.
///
/// float32 on the CPU is computed by kernels of Kuoci's own, everything else by libtorch's operations.
public struct Computation: Sendable, Hashable {
    public let device: ComputeDevice
    public let precision: Precision

    /// float32 on the CPU.
    public static let standard = Computation(device: .cpu, precision: .fp32)

    /// Any combination, tried or not.
    package init(device: ComputeDevice, precision: Precision) {
        self.device = device
        self.precision = precision
    }

    /// What a user asks for, if it is there.
    ///
    /// - Parameter place: This process among those of its machine, from 0 on.
    public init(_ choice: DeviceChoice, _ precision: Precision, place: Int = 0) throws(ComputationError) {
        try Self.check(choice, precision)
        self.precision = precision
        switch choice {
        case .cpu: device = .cpu
        case .cuda(let asked):
            guard kuoci_has_cuda() else { throw .notBuilt(device: choice) }
            let (index, count) = (asked ?? place, ComputeDevice.cudaCount)
            guard index < count else { throw .missing(device: .cuda(index), count: count) }
            device = .cuda(index)
        }
    }

    /// - Throws: `ComputationError.slow` for what no machine should do.
    public static func check(_ choice: DeviceChoice, _ precision: Precision) throws(ComputationError) {
        if choice == .cpu, precision == .fp16 { throw .slow }
    }

    /// Whether Kuoci's own kernels compute: frozen weights may then stay as they are stored.
    package var usesOwnKernels: Bool { self == .standard }

    /// The library that adds up gradients of several processes where they lie, a path or a name; nil where MPI does, in the
    /// processes' memory.
    ///
    /// KUOCI_NCCL names another one, and for tests also one that takes numbers in the processes' memory.
    package func sumLibrary(environment: [String: String]) -> String? {
        environment["KUOCI_NCCL"] ?? (device == .cpu ? nil : "libnccl.so.2")
    }

    /// A frozen weight where, and of the type in which, it is computed with.
    package func placed(_ weight: Tensor) throws(TorchError) -> Tensor {
        usesOwnKernels ? weight : try weight.converted(to: precision.element, on: device)
    }

    /// A frozen vector, which stays in float32, where it is computed with.
    package func placed(vector: Tensor) throws(TorchError) -> Tensor {
        try vector.converted(to: .float32, on: device)
    }
}

extension Computation: CustomStringConvertible {
    public var description: String { "\(precision.rawValue) on \(device)" }
}

/// Why a model cannot be computed as asked.
public enum ComputationError: Error, Equatable {
    /// fp16 on the CPU.
    case slow
    /// libtorch knows no CUDA.
    case notBuilt(device: DeviceChoice)
    case missing(device: ComputeDevice, count: Int)
}

extension ComputationError {
    /// The option at fault.
    public var option: String { if case .slow = self { "--precision" } else { "--device" } }

    public var value: String {
        switch self {
        case .slow: Precision.fp16.rawValue
        case .notBuilt(let device): "\(device)"
        case .missing(let device, _): "\(device)"
        }
    }

    /// What is wrong, and the mend.
    public var need: String {
        switch self {
        case .slow: "is for --device cuda; on the CPU give bf16 or fp32"
        case .notBuilt:
            "this build's libtorch computes on CPUs alone; build with one that was made for CUDA (2.10 or newer): "
                + "make build LIBTORCH=path"
        case .missing(_, let count):
            count == 0
                ? "libtorch finds no CUDA device; look whether nvidia-smi lists one"
                : "this machine has \(count) CUDA device\(count == 1 ? "" : "s"), numbered from 0; "
                    + "start at most as many processes"
        }
    }
}

extension ComputationError: CustomStringConvertible {
    public var description: String { "\(option) \(value): \(need)" }
}

/// Runs `body` with libtorch's operations in place of Kuoci's own kernels, so that tests can compare them.
package func withPortableOperations<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    let previous = kuoci_prefers_portable()
    kuoci_prefer_portable(true)
    defer { kuoci_prefer_portable(previous) }
    return try body()
}
