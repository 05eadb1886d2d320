extension Recipe {
    /// The recipes that are built into the program, by name; their files lie in `Recipes`.
    static let shipped: [String: [UInt8]] = [
        "kuoci": PackageResources.kuoci_yaml,
        "paper-7b": PackageResources.paper_7b_yaml,
        "paper-plus-7b": PackageResources.paper_plus_7b_yaml,
        "paper-13b": PackageResources.paper_13b_yaml,
        "paper-33b": PackageResources.paper_33b_yaml,
        "tiny": PackageResources.tiny_yaml,
    ]

    public static var shippedNames: [String] { shipped.keys.sorted() }
}
