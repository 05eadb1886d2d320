/// The modules that a PEFT LoRA adapter gives factors to, by PEFT's rules.
///
/// A name in a list stands for every module whose whole name it is or whose name ends in a dot and it: `q_proj` and
/// `self_attn.q_proj` both for `model.layers.0.self_attn.q_proj`. What `layers_pattern` says is not needed: the models
/// of the LLaMA family have one list of layers.
public struct AdapterTargets: Sendable, Equatable {
    public var names: [String]
    /// Stands in the place of names: `all-linear`, or a regular expression of Python's for whole names.
    public var pattern: String?
    /// The indices of the only layers whose modules are meant; nil for all.
    public var layers: [Int]?
    /// Modules that are not meant though they would be.
    public var excludedNames: [String]
    /// A regular expression of Python's for those.
    public var excludedPattern: String?

    /// What PEFT takes for the LLaMA family where a config names nothing.
    public static let usual = ["q_proj", "v_proj"]

    public init(
        names: [String], pattern: String? = nil, layers: [Int]? = nil, excludedNames: [String] = [],
        excludedPattern: String? = nil
    ) {
        self.names = names
        self.pattern = pattern
        self.layers = layers
        self.excludedNames = excludedNames
        self.excludedPattern = excludedPattern
    }

    /// Whether a module, such as `model.layers.0.self_attn.q_proj`, has factors; nil where only a regular expression of
    /// Python's could tell.
    public func contains(_ module: String) -> Bool? {
        if excludedPattern != nil { return nil }
        if excludedNames.contains(where: { Self.name($0, standsFor: module) }) { return false }
        if let pattern { return pattern.lowercased() == "all-linear" ? Self.isLinear(module) : nil }
        guard names.contains(where: { Self.name($0, standsFor: module) }) else { return false }
        guard let layers else { return true }
        return Self.layer(of: module).map(layers.contains) ?? false
    }

    private static func name(_ name: String, standsFor module: String) -> Bool {
        module == name || module.hasSuffix("." + name)
    }

    /// Whether `all-linear` means a module that has a matrix.
    private static func isLinear(_ module: String) -> Bool {
        ![TensorNames.embedding, TensorNames.head].contains(module + ".weight")
    }

    /// The first number that two words and then the module's own name stand around, as in `model.layers.0.mlp`.
    private static func layer(of module: String) -> Int? {
        module.split(separator: ".", omittingEmptySubsequences: false).dropFirst(2).dropLast()
            .first { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            .flatMap { Int($0) }
    }
}
