/// For each of a run of new entries the old ones whose rows it starts as a weighted mean of; none where nothing is known.
struct RowMixtures: Sendable {
    /// Where the sources of each entry end.
    private var ends: [Int] = []
    private var ids: [Int32] = []
    private var weights: [Double] = []

    typealias Source = (id: Int32, weight: Double)

    var count: Int { ends.count }

    mutating func append(_ sources: some Sequence<Source>) {
        for (id, weight) in sources {
            ids.append(id)
            weights.append(weight)
        }
        ends.append(ids.count)
    }

    subscript(index: Int) -> (ids: ArraySlice<Int32>, weights: ArraySlice<Double>) {
        let range = (index == 0 ? 0 : ends[index - 1])..<ends[index]
        return (ids[range], weights[range])
    }
}
