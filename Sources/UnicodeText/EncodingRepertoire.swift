extension TextDecoder {
    /// The characters that an encoding writes in one byte or two, in the order of their codes, each once; nil if iconv does
    /// not know the encoding.
    ///
    /// Of GB2312 and Big5 these are all; what an encoding writes otherwise, as GB18030 does with four bytes, is left out.
    public static func characters(ofEncoding name: String) -> [UInt32]? {
        guard let decoder = TextDecoder(encoding: name) else { return nil }
        var seen: Set<UInt32> = []
        var characters: [UInt32] = []
        for first in UInt8.min...UInt8.max {
            let single = decoder.decodeWhole([first])
            let codes = single.isEmpty ? (UInt8.min...UInt8.max).map { [first, $0] } : [[first]]
            for code in codes {
                let found = decoder.decodeWhole(code)
                if found.count == 1, seen.insert(found[0]).inserted { characters.append(found[0]) }
            }
        }
        return characters
    }

    /// What some bytes are as a whole text; nothing if they are none.
    private func decodeWhole(_ bytes: [UInt8]) -> [UInt32] {
        let broken = brokenBytes
        var text: [UInt8] = []
        bytes.withUnsafeBytes { decode($0, into: &text) }
        finish(into: &text)
        return brokenBytes > broken ? [] : String(decoding: text, as: UTF8.self).unicodeScalars.map(\.value)
    }
}
