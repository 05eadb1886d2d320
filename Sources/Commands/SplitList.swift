/// The fields of a comma-separated list as spm_train reads it: a field that begins with a double quote may hold commas,
/// `""` is a quote in it, and what follows its closing quote is dropped; a last field that is empty is none.
func splitList(_ text: String) -> [String] {
    var fields: [String] = []
    var rest = Substring(text).unicodeScalars[...]
    while !rest.isEmpty {
        if rest.first == "\"" {
            rest = rest.dropFirst()
            fields.append(quotedField(&rest))
        } else {
            fields.append(String(String.UnicodeScalarView(rest.prefix { $0 != "," })))
        }
        rest = rest.drop { $0 != "," }.dropFirst()
    }
    return fields
}

/// The field up to its closing quote, which is left out; `rest` then begins after that quote.
private func quotedField(_ rest: inout Substring.UnicodeScalarView.SubSequence) -> String {
    var field = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
        if scalar == "\"" {
            if rest.first != "\"" { break }
            rest = rest.dropFirst()
        }
        field.append(scalar)
    }
    return String(field)
}
