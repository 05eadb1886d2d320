internal import CMPI

/// What processes say to one another, one thread of each at a time.
enum Exchange {
    /// What a process tells the others before it exchanges data with them.
    enum Status: UInt8 {
        case goesOn, stops, fails
    }

    /// Says that this process goes on, and hears whether the others do.
    ///
    /// - Throws: `CollectivesError.ended` or `.stopped` if one of them does not.
    static func agree(count: Int) throws(CollectivesError) {
        let statuses = try gather([Status.goesOn.rawValue], count: count)
        if let failed = statuses.firstIndex(of: Status.fails.rawValue) { throw .ended(rank: failed) }
        if statuses.contains(Status.stops.rawValue) { throw .stopped }
    }

    /// Every process's values, in the order of ranks.
    static func gather<Value: BitwiseCopyable>(_ values: [Value], count: Int) throws(CollectivesError) -> [Value] {
        let bytes = values.count * MemoryLayout<Value>.stride
        var all = Array(repeatElement(values, count: count).joined())
        var status: Int32 = 0
        all.withUnsafeMutableBytes { target in
            values.withUnsafeBytes { own in
                status = kuoci_mpi_gather(own.baseAddress, target.baseAddress, Int32(clamping: bytes))
            }
        }
        try check(status)
        return all
    }
}

/// Throws what MPI says of a status that is not 0.
func check(_ status: Int32) throws(CollectivesError) {
    if status == 0 { return }
    var text = [CChar](repeating: 0, count: 512)
    kuoci_mpi_error(status, &text, Int32(text.count))
    throw .failed(reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
}
