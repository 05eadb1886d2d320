import PieceModel
import Tokenizers

extension PieceBytes {
    /// The bytes of each piece as it is decoded: a byte piece is 1, a space 1, a control piece none.
    init(_ tokenizer: Tokenizer) {
        let vocabulary = tokenizer.vocabulary
        let space = Array("\u{2581}".utf8)
        var counts: [Int32] = []
        var beginsWithSpace: [Bool] = []
        for id in (0..<vocabulary.count).map({ PieceID($0) }) {
            let bytes = vocabulary.bytes(of: id)
            switch vocabulary.type(of: id) {
            case .normal, .userDefined, .unused:
                counts.append(Int32(bytes.count - (space.count - 1) * occurrences(of: space, in: bytes)))
            case .byte: counts.append(1)
            case .control, .unknown: counts.append(0)
            }
            beginsWithSpace.append(bytes.starts(with: space))
        }
        let addsSpace = tokenizer.model.proto.normalizerSpec.addDummyPrefix
        self.init(counts: counts, beginsWithSpace: addsSpace ? beginsWithSpace : [])
    }
}

private func occurrences(of sign: [UInt8], in bytes: ArraySlice<UInt8>) -> Int {
    // The signs of UTF-8 never overlap.
    bytes.indices.count { bytes[$0...].starts(with: sign) }
}
