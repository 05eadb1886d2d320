internal import CNCCL

/// Sums over all processes of numbers that lie on their devices, by NCCL.
public struct DeviceSums: Sendable {
    /// Such as `NCCL 2.21.5`.
    public let name: String

    /// Joins the processes on the devices that they have chosen.
    ///
    /// - Parameter library: NCCL's path, or its name where the loader looks for it.
    /// - Returns: nil, in every process, where one of them finds no such library.
    public init?(_ ranks: Collectives, library: String) throws(CollectivesError) {
        let isOpen = kuoci_nccl_open(library) == 0
        guard try ranks.sum([isOpen ? 1 : 0]) == [Double(ranks.count)] else { return nil }
        var id = [UInt8](repeating: 0, count: Int(kuoci_nccl_id_size))
        if ranks.isLeader { try checkNCCL(kuoci_nccl_make_id(&id)) }
        id = try ranks.broadcast(id)
        try checkNCCL(kuoci_nccl_join(id, Int32(ranks.rank), Int32(ranks.count)))
        let version = kuoci_nccl_version()
        name = "NCCL \(version / 10000).\(version / 100 % 100).\(version % 100)"
    }

    /// Replaces float32 numbers by their sums, after what was begun on the device before.
    ///
    /// All processes must be known to come to the same calls: nobody who waits here hears of one that fails.
    /// - Parameter address: On the device.
    public func sum(_ address: UnsafeMutableRawPointer, count: Int) throws(CollectivesError) {
        try checkNCCL(kuoci_nccl_sum(address.assumingMemoryBound(to: Float.self), Int64(count)))
    }
}

/// Throws what NCCL says of a status that is not 0.
private func checkNCCL(_ status: Int32) throws(CollectivesError) {
    if status == 0 { return }
    var text = [CChar](repeating: 0, count: 512)
    kuoci_nccl_error(status, &text, Int32(text.count))
    throw .deviceSums(reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
}
