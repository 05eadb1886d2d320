import Safetensors
import Torch

/// Writes tensors under their names, one after another.
func writeTensors(_ path: String, _ tensors: [(name: String, tensor: Tensor)]) throws {
    let plans = tensors.map { TensorPlan(name: $0.name, type: $0.tensor.element.type, shape: $0.tensor.shape) }
    let named = Dictionary(tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    try writeTensors(path, plans) { named[$0] }
}

/// Writes tensors that `tensor` makes, one after another, in `safetensorsOrder`.
func writeTensors(_ path: String, _ plans: [TensorPlan], tensor: (String) throws -> Tensor?) throws {
    var writer = try SafetensorsWriter(path, tensors: plans)
    for info in writer.tensors {
        guard let tensor = try tensor(info.name) else { preconditionFailure("the writer made up a tensor") }
        try writer.write(tensor.bytes())
    }
    try writer.finish()
}

extension SafetensorsFile {
    /// A tensor of the file in memory of its own, or nil if the file has none of this name.
    func tensor(_ name: String) throws -> Tensor? {
        guard let info = self[name] else { return nil }
        guard let element = ElementType(info.type) else {
            throw SafetensorsError.notFloats(tensor: name, type: info.type)
        }
        return try withUnsafeBytes(of: info) { try Tensor(copying: $0, element: element, shape: info.shape) }
    }
}

extension ElementType {
    init?(_ type: TensorType) {
        guard let element = Self.allCases.first(where: { $0.type == type }) else { return nil }
        self = element
    }

    var type: TensorType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .float16: .float16
        case .int64: .int64
        case .uint8: .uint8
        }
    }
}
