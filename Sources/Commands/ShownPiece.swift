/// A piece on one line: what cannot be seen is escaped.
func shownPiece(_ piece: String) -> String {
    piece.unicodeScalars.map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
            scalar.escaped(asASCII: true)
        default: String(scalar)
        }
    }.joined()
}
