/// Vectors of equal length, the lanes, stored so that products of many with many are quick: eight lanes side by side.
///
/// Filled before it is shared between threads, and only read from then on, or filled by several in different panels.
final class FloatPanels: @unchecked Sendable {
    /// Lanes in a panel.
    static let lanes = 8

    let laneCount: Int
    /// Numbers in a lane.
    let depth: Int
    private let storage: UnsafeMutableBufferPointer<Float>

    /// All zero; lanes beyond the last one fill its panel.
    init(laneCount: Int, depth: Int) {
        self.laneCount = laneCount
        self.depth = depth
        storage = .allocate(capacity: (laneCount + Self.lanes - 1) / Self.lanes * Self.lanes * depth)
        storage.initialize(repeating: 0)
    }

    deinit { storage.deallocate() }

    /// Panels.
    var count: Int { (laneCount + Self.lanes - 1) / Self.lanes }

    subscript(lane: Int, place: Int) -> Float {
        get { storage[index(lane, place)] }
        set { storage[index(lane, place)] = newValue }
    }

    private func index(_ lane: Int, _ place: Int) -> Int {
        precondition(lane >= 0 && lane < laneCount && place >= 0 && place < depth, "a number outside of the panels")
        return (lane / Self.lanes * depth + place) * Self.lanes + lane % Self.lanes
    }

    /// Gives a lane its numbers.
    func fill(lane: Int, with numbers: [Float]) {
        precondition(numbers.count == depth, "a vector of another length")
        let panel = panel(lane / Self.lanes)
        for place in numbers.indices { panel[place * Self.lanes + lane % Self.lanes] = numbers[place] }
    }

    /// The numbers of a panel, [depth, 8].
    func panel(_ number: Int) -> UnsafeMutableBufferPointer<Float> {
        let size = depth * Self.lanes
        return UnsafeMutableBufferPointer(rebasing: storage[number * size..<(number + 1) * size])
    }
}

/// The products of four lanes with eight others.
struct ProductTile {
    private(set) var first = SIMD8<Float>.zero
    private(set) var second = SIMD8<Float>.zero
    private(set) var third = SIMD8<Float>.zero
    private(set) var fourth = SIMD8<Float>.zero

    /// Of the four lanes of `left` from `firstLane` on, a multiple of four, with the eight of a panel of `right`: sums over
    /// the first `depth` places in their order.
    init(_ left: FloatPanels, firstLane: Int, _ right: FloatPanels, panel: Int, depth: Int) {
        precondition(firstLane % 4 == 0 && depth <= left.depth && depth <= right.depth, "a tile outside of the panels")
        let lanes = FloatPanels.lanes
        // Both panels hold `depth` times eight numbers, four of which begin at 0 or 4.
        guard let left = left.panel(firstLane / lanes).baseAddress.map({ $0 + firstLane % lanes }),
            let right = right.panel(panel).baseAddress
        else { return }
        let rows = UnsafeRawPointer(right)
        for place in 0..<depth {
            let row = rows.loadUnaligned(fromByteOffset: place * lanes * 4, as: SIMD8<Float>.self)
            let column = left + place * lanes
            first += row * column[0]
            second += row * column[1]
            third += row * column[2]
            fourth += row * column[3]
        }
    }

    /// The products of the lane `firstLane + lane`.
    subscript(lane: Int) -> SIMD8<Float> {
        switch lane {
        case 0: first
        case 1: second
        case 2: third
        default: fourth
        }
    }
}
