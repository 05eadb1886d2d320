import Foundation

/// The fields of a comma-separated list without the spaces around them.
func trimmedList(_ text: String) -> [String] {
    splitList(text.trimmingCharacters(in: .whitespaces)).map { $0.trimmingCharacters(in: .whitespaces) }
}
