import OrderedJSON

/// What a header says of its tensors, in its order and in about as many bytes as it says it in.
///
/// A header of 100 MB may hold millions of tensors, or one of millions of dimensions.
struct TensorTable: Sendable {
    private(set) var names = NameTable()
    /// For each tensor its dimensions, then type, begin, end, rank and the size of the dimensions here.
    private var records = VariableLengthNumbers()
    /// Where in `records` each tensor's type stands.
    private var places: [UInt32] = []
    private var dimensionsStart = 0
    private var rank = 0

    /// One tensor as the header spells it.
    struct Record {
        var type: TensorType
        /// In bytes, from the start of the data.
        var begin: Int
        var end: Int
        fileprivate var rank: Int
        fileprivate var dimensionsStart: Int
    }

    var count: Int { places.count }

    /// Adds the name of the tensor whose dimensions and record come next; false if it is there.
    mutating func append(name: String) -> Bool {
        dimensionsStart = records.byteCount
        rank = 0
        return names.append(name)
    }

    mutating func append(dimension: Int) {
        records.append(dimension)
        rank += 1
    }

    mutating func append(_ type: TensorType, begin: Int, end: Int) {
        let size = records.byteCount - dimensionsStart
        places.append(UInt32(records.byteCount))
        for number in [type.order, begin, end, rank, size] { records.append(number) }
    }

    subscript(number: Int) -> Record {
        var cursor = Int(places[number])
        let type = TensorType.allCases[records.next(&cursor)]
        let begin = records.next(&cursor)
        let end = records.next(&cursor)
        let rank = records.next(&cursor)
        let size = records.next(&cursor)
        return Record(
            type: type, begin: begin, end: end, rank: rank, dimensionsStart: Int(places[number]) - size)
    }

    /// The dimensions of a tensor, one by one.
    struct Dimensions: Sequence, IteratorProtocol {
        fileprivate let records: VariableLengthNumbers
        fileprivate var cursor: Int
        fileprivate var rest: Int

        var underestimatedCount: Int { rest }

        mutating func next() -> Int? {
            if rest == 0 { return nil }
            rest -= 1
            return records.next(&cursor)
        }
    }

    func dimensions(of record: Record) -> Dimensions {
        Dimensions(records: records, cursor: record.dimensionsStart, rest: record.rank)
    }
}
