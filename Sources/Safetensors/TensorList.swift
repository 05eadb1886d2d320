import OrderedJSON

/// The tensors of a file in the order of their bytes; each is made from the header's compact form when asked for.
public struct TensorList: RandomAccessCollection, Sendable {
    private let table: TensorTable
    /// Numbers in the table by offset; nil where the header has that order.
    private let order: [UInt32]?
    /// Where in the file the data begins.
    private let dataStart: Int

    init(_ table: TensorTable, order: [UInt32]?, dataStart: Int) {
        self.table = table
        self.order = order
        self.dataStart = dataStart
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { table.count }

    public subscript(index: Int) -> TensorInfo {
        info(order.map { Int($0[index]) } ?? index)
    }

    /// The tensor of this name, or nil.
    public subscript(name: String) -> TensorInfo? {
        table.names.number(of: name).map(info)
    }

    /// Whether a tensor has this name.
    public func contains(name: String) -> Bool {
        table.names.number(of: name) != nil
    }

    private func info(_ number: Int) -> TensorInfo {
        let record = table[number]
        return TensorInfo(
            name: table.names[number], type: record.type, shape: Array(table.dimensions(of: record)),
            byteRange: dataStart + record.begin..<dataStart + record.end)
    }
}
