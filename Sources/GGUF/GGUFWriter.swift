import FileIO

/// Writes one GGUF file in a stream, version 3, with the alignment of 32 that every reader takes.
///
/// Hand over the bytes of `tensors` one after another, in chunks that do not cross from one to the next, then
/// `finish()`. Dropped before that, it leaves nothing behind.
public struct GGUFWriter: ~Copyable {
    public let path: String
    /// The tensors in the order in which their bytes are due.
    public let tensors: [GGUFTensor]
    private var file: OutputFile
    /// The tensor whose bytes are due.
    private var current = 0

    /// - Throws: `GGUFError.planMismatch` for a name or a size that the format cannot hold, `FileError.noSpace` and
    ///   other `FileError`s.
    public init(_ path: String, entries: GGUFEntries, tensors plans: [GGUFTensorPlan]) throws {
        let positions = try positions(of: plans, path: path)
        let head = entries.head(describing: plans, at: positions.map(\.lowerBound))
        try requireSpace(head.count + (positions.last?.upperBound ?? 0), for: path)
        var file = try OutputFile(path)
        try file.write(head)
        self.path = path
        self.file = file
        tensors = zip(plans, positions).map { plan, range in
            GGUFTensor(
                name: plan.name, type: plan.type, shape: plan.shape,
                byteRange: head.count + range.lowerBound..<head.count + range.upperBound)
        }
    }

    public mutating func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write(bytes: $0) }
    }

    public mutating func write(bytes: UnsafeRawBufferPointer) throws {
        if bytes.isEmpty { return }
        try advance()
        guard current < tensors.count, bytes.count <= tensors[current].byteRange.upperBound - file.count else {
            throw GGUFError.planMismatch(path: path, reason: "more bytes than planned")
        }
        try file.write(bytes: bytes)
    }

    /// Passes the tensors that are whole, and the padding behind them.
    private mutating func advance() throws {
        while current < tensors.count, file.count == tensors[current].byteRange.upperBound {
            current += 1
            try pad(to: current < tensors.count ? tensors[current].byteRange.lowerBound : nil)
        }
    }

    private mutating func pad(to position: Int?) throws {
        let over = file.count % GGUFHeader.standardAlignment
        let end = position ?? (over == 0 ? file.count : file.count + GGUFHeader.standardAlignment - over)
        if end > file.count { try file.write(repeatElement(0, count: end - file.count)) }
    }

    /// Syncs the file and gives it its name.
    ///
    /// - Parameter replacing: Whether an older file of this name is replaced.
    /// - Throws: `GGUFError.planMismatch` if bytes are missing, `FileError.alreadyExists` unless `replacing`.
    public consuming func finish(replacing: Bool = true) throws {
        try advance()
        guard current == tensors.count else {
            throw GGUFError.planMismatch(path: path, reason: "bytes of \(shown(tensors[current].name)) are missing")
        }
        try file.commit(replacing: replacing)
    }
}

/// Where the tensors lie, counted from the first one's first byte.
private func positions(of plans: [GGUFTensorPlan], path: String) throws(GGUFError) -> [Range<Int>] {
    var names: Set<String> = []
    var ranges: [Range<Int>] = []
    var due = 0
    for plan in plans {
        guard plan.name.utf8.count <= GGUFLimits.tensorName, plan.shape.count <= GGUFLimits.dimensions,
            names.insert(plan.name).inserted, let size = plan.type.byteCount(shape: plan.shape),
            size < Int.max / 4, let next = aligned(due + size, to: GGUFHeader.standardAlignment), next < Int.max / 4
        else {
            throw .planMismatch(
                path: path,
                reason: "no tensor \(shown(plan.name)) of type \(plan.type.name) and shape \(plan.shape) fits")
        }
        ranges.append(due..<due + size)
        due = next
    }
    return ranges
}
