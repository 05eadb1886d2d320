import Torch

/// What can stand for one key of a recipe.
protocol RecipeValue: Sendable {
    /// nil if the text is none.
    init?(recipeText: String)
    var recipeText: String { get }
    /// What a text must be, such as `must be a whole number`.
    static var need: String { get }
}

extension Int: RecipeValue {
    init?(recipeText: String) { self.init(recipeText) }
    var recipeText: String { "\(self)" }
    static var need: String { "must be a whole number" }
}

extension UInt64: RecipeValue {
    init?(recipeText: String) { self.init(recipeText) }
    var recipeText: String { "\(self)" }
    static var need: String { "must be a whole number of 0 to \(UInt64.max)" }
}

extension Double: RecipeValue {
    init?(recipeText: String) { self.init(recipeText) }
    var recipeText: String { "\(self)" }
    static var need: String { "must be a number" }
}

extension Bool: RecipeValue {
    /// As YAML spells them.
    init?(recipeText: String) {
        switch recipeText {
        case "true", "True", "TRUE": self = true
        case "false", "False", "FALSE": self = false
        default: return nil
        }
    }
    var recipeText: String { "\(self)" }
    static var need: String { "must be true or false" }
}

extension String: RecipeValue {
    init?(recipeText: String) { self = recipeText }
    var recipeText: String { self }
    static var need: String { "must be a text" }
}

extension RecipeValue where Self: RawRepresentable & CaseIterable, RawValue == String {
    init?(recipeText: String) { self.init(rawValue: recipeText) }
    var recipeText: String { rawValue }
    static var need: String { "must be one of \(allCases.map(\.rawValue).joined(separator: ", "))" }
}

extension DeviceChoice: RecipeValue {
    init?(recipeText: String) { self.init(recipeText) }
    var recipeText: String { description }
    static var need: String { "must be cpu, cuda, or cuda:N with the number of a device" }
}

extension Precision: RecipeValue {}
extension MomentStorage: RecipeValue {}
extension TrainedRows: RecipeValue {}
extension TrainedSides: RecipeValue {}
extension ScheduleShape: RecipeValue {}
extension TextDivision: RecipeValue {}
