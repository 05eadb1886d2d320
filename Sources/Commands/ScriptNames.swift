import ArgumentParser
import UnicodeText

/// The writing systems of a comma-separated list of names.
func parsedScripts(_ list: String) throws -> [Script] {
    let names: [String: Script] = [
        "han": .han, "kana": .kana, "bopomofo": .bopomofo, "hangul": .hangul, "latin": .latin,
    ]
    return try trimmedList(list).map { name in
        guard let script = names[name.lowercased()] else {
            throw ValidationError("--scripts: \"\(name)\" is unknown; choose of Han, Kana, Bopomofo, Hangul, Latin")
        }
        return script
    }
}
