internal import CICU

/// The Chinese characters of a national standard, in its order.
///
/// The lists are read off ICU's converters over the code range that the standard gives its characters; none is typed in.
public enum CharacterStandard: String, CaseIterable, Sendable {
    /// GB2312-80: 3,755 characters of level 1 and 3,008 of level 2, in rows 16 to 87.
    case gb2312
    /// Big5's level 1, the 5,401 frequent characters: codes A440 to C67E.
    case big5

    public var name: String {
        switch self {
        case .gb2312: "GB2312"
        case .big5: "Big5 level 1"
        }
    }

    /// In the order of their codes, Han characters only: what else ICU puts into the range is not the standard's.
    public var characters: [Unicode.Scalar] {
        var pairs: [UInt8] = []
        for code in codes { pairs += [UInt8(code >> 8), UInt8(code & 0xFF)] }
        var codePoints = [Int32](repeating: -1, count: pairs.count / 2)
        let status = kuoci_icu_decode_pairs(converter, pairs, Int32(codePoints.count), &codePoints)
        precondition(status == 0, "ICU has no converter for \(name)")
        return codePoints.compactMap { $0 < 0 ? nil : Unicode.Scalar(UInt32($0)) }.filter(\.isHan)
    }

    private var converter: String {
        switch self {
        case .gb2312: "GB2312"
        case .big5: "Big5"
        }
    }

    /// The codes that may hold a character, two bytes each.
    private var codes: [UInt16] {
        let (leads, trails, last): (ClosedRange<UInt16>, [ClosedRange<UInt16>], UInt16) =
            switch self {
            case .gb2312: (0xB0...0xF7, [0xA1...0xFE], 0xF7FE)
            case .big5: (0xA4...0xC6, [0x40...0x7E, 0xA1...0xFE], 0xC67E)
            }
        return leads.flatMap { lead in trails.joined().map { lead << 8 | $0 } }.filter { $0 <= last }
    }
}
