extension GGUFHeader {
    /// The tensors of a file whose keys these are, in the order of their bytes: each lies inside the file, right behind
    /// the one before it, as llama.cpp demands.
    ///
    /// - Throws: `GGUFError`, naming the byte that is at fault.
    public func tensors(in bytes: UnsafeRawBufferPointer) throws(GGUFError) -> [GGUFTensor] {
        var cursor = GGUFCursor(bytes: bytes, path: path, position: keysEnd)
        guard tensorCount <= UInt64((bytes.count - keysEnd) / Description.smallest) else {
            throw cursor.failure("a count of \(tensorCount) tensors passes the file's end", at: 8)
        }
        guard tensorCount <= UInt64(GGUFLimits.tensors) else {
            throw cursor.failure(
                "it has \(tensorCount) tensors, more than the \(GGUFLimits.tensors) that are read", at: 8)
        }
        var descriptions: [Description] = []
        var names: Set<String> = []
        for _ in 0..<Int(tensorCount) {
            let description = try Description(&cursor)
            guard names.insert(description.name).inserted else {
                throw cursor.failure("the tensor \(shown(description.name)) is there twice", at: description.offset)
            }
            descriptions.append(description)
        }
        return try place(descriptions, after: cursor)
    }

    private func place(
        _ descriptions: [Description], after cursor: GGUFCursor
    ) throws(GGUFError) -> [GGUFTensor] {
        guard let start = aligned(cursor.position, to: alignment) else {
            throw cursor.failure("its tensors lie beyond all files")
        }
        var tensors: [GGUFTensor] = []
        var due = start
        for entry in descriptions {
            let expected = UInt64(due - start)
            guard entry.position == expected else {
                throw cursor.failure(
                    "tensor \(shown(entry.name)) should lie at data byte \(expected), not \(entry.position) "
                        + "(a hole, an overlap or a false alignment)", at: entry.offset)
            }
            let (end, overflow) = due.addingReportingOverflow(entry.byteCount)
            guard !overflow, end <= cursor.bytes.count else {
                throw cursor.failure(
                    "tensor \(shown(entry.name)) of \(entry.byteCount) bytes passes the file's end, "
                        + "byte \(cursor.bytes.count)", at: entry.offset)
            }
            tensors.append(
                GGUFTensor(name: entry.name, type: entry.type, shape: entry.shape, byteRange: due..<end))
            // Within the file, so far below the largest Int that the alignment cannot carry it over.
            due = aligned(end, to: alignment) ?? end
        }
        return tensors
    }
}

/// A tensor as a file describes it, its size known to be one.
private struct Description {
    /// Where the description begins, for messages.
    let offset: Int
    let name: String
    let shape: [Int]
    let type: GGUFTensorType
    let byteCount: Int
    /// Counted from the first tensor's first byte, as the file says.
    let position: UInt64

    /// The fewest bytes that a description takes: no name, no dimension, type and position.
    static let smallest = 24

    init(_ cursor: inout GGUFCursor) throws(GGUFError) {
        offset = cursor.position
        let text = try cursor.text()
        guard text.count <= GGUFLimits.tensorName, let name = String(validating: text, as: UTF8.self) else {
            throw cursor.failure("a tensor's name is no text of at most \(GGUFLimits.tensorName) bytes", at: offset)
        }
        let count = try cursor.integer(UInt32.self)
        guard count <= GGUFLimits.dimensions else {
            throw cursor.failure(
                "tensor \(shown(name)) has \(count) dimensions, more than \(GGUFLimits.dimensions)", at: offset)
        }
        var dimensions: [Int] = []
        for _ in 0..<count {
            let dimension = try cursor.integer(UInt64.self)
            guard let size = Int(exactly: dimension) else {
                throw cursor.failure("tensor \(shown(name)) has a dimension of \(dimension)", at: offset)
            }
            dimensions.append(size)
        }
        let number = try cursor.integer(UInt32.self)
        guard let type = GGUFTensorType(rawValue: number) else {
            throw .unsupported(path: cursor.path, what: "tensor \(shown(name)) of the unknown type \(number)")
        }
        let shape = Array(dimensions.reversed())
        guard let byteCount = type.byteCount(shape: shape) else {
            throw cursor.failure(
                "tensor \(shown(name)) of type \(type.name) cannot have the shape \(shape): no whole blocks, or no "
                    + "file is so large", at: offset)
        }
        position = try cursor.integer(UInt64.self)
        (self.name, self.shape, self.type, self.byteCount) = (name, shape, type, byteCount)
    }
}
