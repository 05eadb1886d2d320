/// The paragraphs of a manual page written in roff with the man or mdoc macros, as a reader sees them.
///
/// Tables, macro definitions and conditional parts for typesetters are left out; in a part without filling (`.nf`)
/// each line is a paragraph.
func paragraphs(ofManualPage source: [UInt8]) -> [[UInt8]] {
    var page = RoffPage()
    for line in source.split(separator: 0x0A, omittingEmptySubsequences: false) {
        page.read(Array(line.last == 0x0D ? line.dropLast() : line))
    }
    return page.collector.finish()
}

private struct RoffPage {
    var collector = ParagraphCollector()
    private var isFilling = true
    /// The request that ends the part being left out, such as `..` or `.TE`.
    private var skipsUntil: [UInt8]?
    /// Braces open in a conditional block that is left out.
    private var skippedBraces = 0
    /// The next line of text is a paragraph of its own, as after `.TP` and an empty `.SH`.
    private var nextLineStandsAlone = false

    mutating func read(_ line: [UInt8]) {
        if let end = skipsUntil {
            if line.starts(with: end) { skipsUntil = nil }
        } else if skippedBraces > 0 {
            skippedBraces += braceBalance(of: line)
        } else if line.first == UInt8(ascii: ".") || line.first == UInt8(ascii: "'") {
            readRequest(line)
        } else {
            readText(line)
        }
    }

    private mutating func readText(_ line: [UInt8]) {
        let text = plainText(ofRoff: line)
        let isBlank = text.allSatisfy { $0 == 0x20 || $0 == 0x09 }
        // A line of escapes and comments only is no blank line.
        if isBlank {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { collector.endParagraph() }
            return
        }
        collector.append(text)
        collector.append([0x0A])
        if !isFilling || nextLineStandsAlone { collector.endParagraph() }
        nextLineStandsAlone = false
    }

    private mutating func readRequest(_ line: [UInt8]) {
        let body = line.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
        let nameBytes = body.prefix { $0 != 0x20 && $0 != 0x09 && $0 != UInt8(ascii: "\\") }
        let rest = Array(body.dropFirst(nameBytes.count).drop { $0 == 0x20 || $0 == 0x09 })
        let name = String(decoding: nameBytes, as: UTF8.self)
        switch name {
        case "if", "ie": readCondition(rest)
        case "el": if rest.starts(with: Array("\\{".utf8)) { skippedBraces = braceBalance(of: rest) }
        case "de", "am", "de1", "ig": skipsUntil = Array("..".utf8)
        case "TS": skip(until: ".TE")
        case "EQ": skip(until: ".EN")
        case "PS": skip(until: ".PE")
        case "nf", "EX", "Bd", "DS", "CS", "Vb": setFilling(false)
        case "fi", "EE", "Ed", "DE", "CE", "Ve": setFilling(true)
        case "SH", "SS", "Sh", "Ss": readHeading(rest)
        case "TP", "TQ":
            collector.endParagraph()
            nextLineStandsAlone = true
        case "IP", "It":
            collector.endParagraph()
            let tag = name == "It" ? mdocText(rest) : roffArguments(rest).first.map { plainText(ofRoff: $0) } ?? []
            collector.append(tag)
            collector.endParagraph()
        case _ where paragraphRequests.contains(name): collector.endParagraph()
        case _ where fontMacros.contains(name): readFontMacro(name, rest)
        case _ where mdocTextMacros.contains(name): appendLine(mdocText(Array(nameBytes) + [0x20] + rest))
        default: break
        }
    }

    private mutating func skip(until end: String) {
        collector.endParagraph()
        skipsUntil = Array(end.utf8)
    }

    private mutating func setFilling(_ value: Bool) {
        collector.endParagraph()
        isFilling = value
    }

    private mutating func readHeading(_ rest: [UInt8]) {
        collector.endParagraph()
        nextLineStandsAlone = rest.isEmpty
        guard !rest.isEmpty else { return }
        collector.append(joined(roffArguments(rest), separator: [0x20]))
        collector.endParagraph()
        isFilling = true
    }

    /// `n` is true for a terminal, `t` for a typesetter; what else is asked, such as registers, is taken as false.
    private mutating func readCondition(_ rest: [UInt8]) {
        let isTrue = rest.first == UInt8(ascii: "n") || rest.starts(with: Array("!t".utf8))
        let body = rest.drop { $0 != 0x20 && $0 != UInt8(ascii: "\\") }.drop { $0 == 0x20 }
        let opensBlock = body.starts(with: Array("\\{".utf8))
        if isTrue {
            let inner = opensBlock ? body.dropFirst(2).drop { $0 == 0x20 || $0 == UInt8(ascii: "\\") } : body
            if !inner.isEmpty { read(Array(inner)) }
        } else if opensBlock {
            skippedBraces = max(0, braceBalance(of: rest))
        }
    }

    /// `.B a b` sets its words apart by spaces; `.BR a b` sets them side by side in two fonts.
    private mutating func readFontMacro(_ name: String, _ rest: [UInt8]) {
        // With nothing behind it the macro is about the next line, which is read as text.
        guard !rest.isEmpty else { return }
        appendLine(joined(roffArguments(rest), separator: name.utf8.count == 1 || name == "SM" ? [0x20] : []))
    }

    private mutating func appendLine(_ text: [UInt8]) {
        collector.append(text)
        collector.append([0x0A])
        if !isFilling || nextLineStandsAlone { collector.endParagraph() }
        nextLineStandsAlone = false
    }
}

private func joined(_ arguments: [[UInt8]], separator: [UInt8]) -> [UInt8] {
    Array(arguments.map { plainText(ofRoff: $0) }.joined(separator: separator))
}

/// How many more conditional blocks a line opens than it closes.
private func braceBalance(of line: [UInt8]) -> Int {
    zip(line, line.dropFirst()).reduce(0) { balance, pair in
        guard pair.0 == UInt8(ascii: "\\") else { return balance }
        return balance + (pair.1 == UInt8(ascii: "{") ? 1 : pair.1 == UInt8(ascii: "}") ? -1 : 0)
    }
}

/// The arguments of a request: words, or anything between double quotes, where two double quotes are one.
func roffArguments(_ rest: [UInt8]) -> [[UInt8]] {
    let quote = UInt8(ascii: "\"")
    var arguments: [[UInt8]] = []
    var index = 0
    while index < rest.count {
        if rest[index] == 0x20 || rest[index] == 0x09 {
            index += 1
            continue
        }
        // \" begins a comment.
        if rest[index...].starts(with: [UInt8(ascii: "\\"), quote]) { break }
        var word: [UInt8] = []
        let isQuoted = rest[index] == quote
        if isQuoted { index += 1 }
        while index < rest.count {
            let byte = rest[index]
            if isQuoted, byte == quote {
                index += 1
                guard index < rest.count, rest[index] == quote else { break }
            } else if !isQuoted, byte == 0x20 || byte == 0x09 {
                break
            } else if byte == UInt8(ascii: "\\"), index + 1 < rest.count {
                // An escaped space does not end the word.
                word.append(byte)
                index += 1
            }
            word.append(rest[index])
            index += 1
        }
        arguments.append(word)
    }
    return arguments
}

private let paragraphRequests: Set<String> = [
    "PP", "P", "LP", "HP", "sp", "br", "bp", "RS", "RE", "in", "ti", "ce", "Pp", "Lp", "Bl", "El", "PD", "UR", "MT",
    "SY",
    "YS", "TH", "Dd", "Dt", "Os", "AP", "BS", "OP", "tl", "Bs", "ne",
]

private let fontMacros: Set<String> = ["B", "I", "BR", "BI", "IR", "IB", "RB", "RI", "SM", "SB", "R", "UE", "ME"]

private let mdocTextMacros: Set<String> = [
    "Ad", "An", "Aq", "Ar", "At", "Bq", "Brq", "Bx", "Cm", "D1", "Dl", "Dq", "Dv", "Em", "Er", "Ev", "Fa", "Fl", "Fn",
    "Ft", "Fx", "Ic", "In", "Lb", "Li", "Lk", "Ms", "Mt", "Nd", "Nm", "No", "Nx", "Op", "Ox", "Pa", "Pf", "Pq", "Ql",
    "Qq", "Sq", "St", "Sx", "Sy", "Tn", "Ux", "Va", "Vt", "Xr", "Oo", "Po", "Do",
]

/// The text of an mdoc macro's arguments: names of macros fall away, a flag gets its hyphen, a reference its section.
private func mdocText(_ rest: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var macro = ""
    for argument in roffArguments(rest) {
        let word = String(decoding: argument, as: UTF8.self)
        if mdocTextMacros.contains(word) || ["Ns", "Oc", "Pc", "Dc", "Xo", "Xc", "Ap"].contains(word) {
            macro = word
            continue
        }
        let text = plainText(ofRoff: argument)
        let isPunctuation = text.count == 1 && ".,:;)]?!".utf8.contains(text[0])
        let joins = isPunctuation || macro == "Ns" || result.isEmpty || result.last == UInt8(ascii: "(")
        if !joins { result.append(0x20) }
        if macro == "Fl", !isPunctuation { result.append(UInt8(ascii: "-")) }
        result += text
        if macro == "Ns" { macro = "" }
    }
    return result
}
