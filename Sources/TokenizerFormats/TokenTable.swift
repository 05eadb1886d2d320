import OrderedJSON
import PieceModel

/// Tokens and ids, both ways; ids may have gaps.
struct TokenTable: Sendable {
    private var texts: ByteStringTable
    /// The id of each text.
    private var ids: [Int32] = []
    private var textOfID: [Int32: Int32] = [:]
    /// For each byte the id of its token, such as `<0x0A>`; nil if there is none.
    private(set) var byteIDs: [Int32?] = []
    /// One more than the largest id.
    private(set) var end: Int = 0

    /// The `vocab` of a BPE model: an object of tokens and ids.
    init(bpe node: FileNode) throws(TokenizerFormatError) {
        guard let members = node.json.members else { throw node.failure("is no object of tokens and ids") }
        texts = ByteStringTable(minimumCapacity: members.count)
        for member in members {
            let place = node.place + "[" + shown(member.key) + "]"
            let value = FileNode(path: node.path, place: place, json: member.value)
            let id = try value.id()
            if let other = textOfID[id] {
                throw value.failure("has the id \(id), which is that of \(shown(texts[Int(other)])) too")
            }
            insert(member.key, id: id)
        }
        setByteIDs()
    }

    /// The `vocab` of a unigram model: an array of tokens and scores; a token's id is its place.
    static func unigram(_ node: FileNode) throws(TokenizerFormatError) -> (TokenTable, scores: [Double]) {
        var table = TokenTable()
        var scores: [Double] = []
        for entry in try node.elements() {
            guard let pair = entry.json.array, pair.count == 2, let token = pair[0].bytes,
                case .number(let spelling) = pair[1],
                let score = twiceRoundedDouble(spelling)
            else { throw entry.failure("is no pair of a token and its score") }
            guard score.isFinite else { throw entry.failure("has a score that is not finite") }
            guard !token.isEmpty, !token.contains(0) else { throw entry.failure("is empty or holds a NUL") }
            if table.id(of: token) != nil { throw entry.failure("(\(shown(token))) is there twice") }
            table.insert(token, id: Int32(scores.count))
            scores.append(score)
        }
        table.setByteIDs()
        return (table, scores)
    }

    private init() {
        texts = ByteStringTable()
    }

    private mutating func insert(_ token: [UInt8], id: Int32) {
        let (text, inserted) = texts.insert(token)
        precondition(inserted, "a key of an object is there twice")
        ids.append(id)
        textOfID[id] = Int32(text)
        end = max(end, Int(id) + 1)
    }

    private mutating func setByteIDs() {
        byteIDs = (0...255).map { id(of: Array(piece(forByte: UInt8($0)).utf8)) }
    }

    var count: Int { ids.count }

    func id(of token: some Collection<UInt8>) -> Int32? {
        texts.index(of: token).map { ids[$0] }
    }

    func token(of id: Int32) -> [UInt8]? {
        textOfID[id].map { Array(texts[Int($0)]) }
    }

    /// All tokens with their ids, by id.
    var entries: [(id: Int32, token: [UInt8])] {
        textOfID.keys.sorted().map { ($0, token(of: $0) ?? []) }
    }
}
