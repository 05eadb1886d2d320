public import Safetensors

/// One weight file of a checkpoint that is about to be written.
public struct ShardPlan: Sendable, Equatable {
    /// The file's name.
    public var name: String
    public var tensors: [TensorPlan]
    /// A file that has these very tensors and is copied as it is, or nil if their bytes will be handed over.
    public var source: String?

    public init(name: String, tensors: [TensorPlan], source: String? = nil) {
        self.name = name
        self.tensors = tensors
        self.source = source
    }

    /// Deals tensors out by their names, a new shard when the next one would make this one too large, as transformers 5
    /// does; a tensor larger than that has a shard of its own, before the one that is being filled.
    public static func shards(
        of tensors: [TensorPlan], maximumSize: Int = defaultMaximumSize
    ) throws -> [ShardPlan] {
        var groups: [[TensorPlan]] = []
        var current: [TensorPlan] = []
        var currentSize = 0
        for tensor in tensors.sorted(by: { nameParts($0).lexicographicallyPrecedes(nameParts($1)) }) {
            let size = try tensor.type.byteCount(shape: tensor.shape)
            if size > maximumSize {
                groups.append([tensor])
                continue
            }
            if size > maximumSize - currentSize {
                groups.append(current)
                current = []
                currentSize = 0
            }
            current.append(tensor)
            currentSize += size
        }
        if !current.isEmpty { groups.append(current) }
        return groups.enumerated().map { index, tensors in
            ShardPlan(name: fileName(index, of: groups.count), tensors: tensors)
        }
    }

    /// Five gigabytes: small enough for any file system and any loader.
    public static let defaultMaximumSize = 5_000_000_000

    /// `model.safetensors`, or `model-00002-of-00007.safetensors`.
    private static func fileName(_ index: Int, of count: Int) -> String {
        func padded(_ number: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        }
        return count == 1 ? Checkpoint.singleFile : "model-\(padded(index + 1))-of-\(padded(count)).safetensors"
    }
}

/// A part of a name between dots; numbers come before words and by their values, so that layer 2 stands before layer 10.
private enum NamePart: Comparable {
    case number(Int)
    case word(String)
}

private func nameParts(_ tensor: TensorPlan) -> [NamePart] {
    tensor.name.split(separator: ".", omittingEmptySubsequences: false).map { part in
        let isNumber = !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isNumber ? .number(Int(part) ?? .max) : .word(String(part))
    }
}
