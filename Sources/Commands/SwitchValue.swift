import ArgumentParser

/// A yes or no as spm_train's flags take it: `--byte_fallback`, `--byte_fallback=true`, `--byte_fallback no`.
struct SwitchValue: ExpressibleByArgument {
    var isOn: Bool

    init(_ isOn: Bool) {
        self.isOn = isOn
    }

    init?(argument: String) {
        switch argument.lowercased() {
        case "1", "t", "true", "y", "yes": isOn = true
        case "0", "f", "false", "n", "no": isOn = false
        default: return nil
        }
    }

    var defaultValueDescription: String { isOn ? "true" : "false" }

    static var allValueStrings: [String] { ["true", "false"] }
}

/// spm_train's spelling of a command line in ours: underscores in option names become hyphens, and a switch without a
/// value gets `true`.
func hyphenated(_ arguments: [String], switches: Set<String>) -> [String] {
    var result: [String] = []
    for (index, argument) in arguments.enumerated() {
        guard argument.hasPrefix("--") else {
            result.append(argument)
            continue
        }
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0].replacing("_", with: "-")
        if parts.count > 1, parts[1].isEmpty {
            // After `=` the parser takes nothing for no value; on its own it is an empty one.
            result += [String(name), ""]
        } else {
            result.append(parts.count > 1 ? "\(name)=\(parts[1])" : String(name))
        }
        let next = index + 1 < arguments.count ? arguments[index + 1] : nil
        if parts.count == 1, switches.contains(String(name)), next.flatMap({ SwitchValue(argument: $0) }) == nil {
            result.append("true")
        }
    }
    return result
}

/// Gives an option that stands last or before another option the value that it has on its own.
func valued(_ arguments: [String], defaults: [String: String]) -> [String] {
    arguments.indices.flatMap { index in
        let isAlone = index + 1 == arguments.count || arguments[index + 1].hasPrefix("--")
        return [arguments[index]] + (isAlone ? defaults[arguments[index]].map { [$0] } ?? [] : [])
    }
}
