public import Torch

/// The keys and values of a sequence's tokens, kept so that what follows is computed without them.
///
/// Belongs to one sequence and one model.
public final class KeyValueCache {
    /// Tokens that there is room for.
    public let capacity: Int
    /// Tokens that the model has seen.
    public internal(set) var count: Int
    /// Rotated keys of each layer, [capacity, G * W].
    let keys: [Tensor]
    /// Values of each layer, [capacity, G * W].
    let values: [Tensor]

    /// An empty cache for a model of this shape, computed so.
    public init(
        _ configuration: LlamaConfiguration, capacity: Int, computation: Computation = .standard
    ) throws {
        precondition(capacity > 0, "a cache without room")
        let shape = [capacity, configuration.keyValueHeadCount * configuration.headWidth]
        self.capacity = capacity
        count = 0
        func memory() throws -> [Tensor] {
            try (0..<configuration.layerCount).map { _ in
                try .zeros(shape, computation.precision.element, on: computation.device)
            }
        }
        keys = try memory()
        values = try memory()
    }

    private init(copying other: KeyValueCache) throws {
        capacity = other.capacity
        count = other.count
        keys = try other.keys.map { try $0.copied() }
        values = try other.values.map { try $0.copied() }
    }

    /// A cache of its own that goes on from the same tokens.
    public func copied() throws -> KeyValueCache {
        try KeyValueCache(copying: self)
    }
}

/// New tokens of one sequence within a pass over several.
struct CachedPart {
    let cache: KeyValueCache
    /// The first of its rows among those of the pass.
    let start: Int
    let count: Int
    /// What the new tokens may attend to, [1, 1, count, seen]; nil where they are the sequence's first.
    let mask: Tensor?

    init(_ cache: KeyValueCache, start: Int, count: Int) throws {
        self.cache = cache
        self.start = start
        self.count = count
        if cache.count == 0 {
            mask = nil
        } else {
            let seen = cache.count + count
            let allowed = (0..<count).flatMap { row in
                (0..<seen).map { $0 <= cache.count + row ? Float(0) : -.infinity }
            }
            mask = try Tensor(allowed, shape: [1, 1, count, seen])
                .converted(to: cache.keys.first?.element, on: cache.keys.first?.device)
        }
    }

    /// This sequence's rows of x [N, any].
    func rows(_ x: Tensor) throws -> Tensor {
        try x.narrowed(start: start, length: count)
    }

    /// Puts the new keys and values into the cache and attends to all.  queries [N, H * W] -> [count, H * W]
    func attention(layer: Int, queries: Tensor, keys: Tensor, values: Tensor, headWidth: Int) throws -> Tensor {
        let seen = cache.count + count
        func stored(_ new: Tensor, in memory: Tensor) throws -> Tensor {
            try memory.narrowed(start: cache.count, length: count).assign(rows(new))
            return try memory.narrowed(start: 0, length: seen).reshaped([1, seen, new.shape[1]])
        }
        let width = queries.shape[1]
        return try rows(queries).reshaped([1, count, width])
            .attention(
                keys: stored(keys, in: cache.keys[layer]), values: stored(values, in: cache.values[layer]), mask: mask,
                headWidth: headWidth
            )
            .reshaped([count, width])
    }
}
