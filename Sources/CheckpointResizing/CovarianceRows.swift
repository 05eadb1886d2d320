import Checkpoints

/// Each row is drawn from the normal distribution with the old rows' mean and covariance matrix: the mean, and the
/// covariance's triangular factor times independent normal numbers.
struct CovarianceRows: RowStart {
    let mean: [Double]
    /// The rows of the factor L [columns, columns], lower triangular, as lanes.
    let factor: FloatPanels
    let spread: Double
    let seed: UInt64

    func fill(_ rows: UnsafeMutableBufferPointer<Double>, _ ids: Range<Int>) {
        let width = mean.count
        let draws = normalDraws(ids)
        for panel in 0..<factor.count {
            // The factor's rows of this panel are zero from here on.
            let depth = min(width, (panel + 1) * FloatPanels.lanes)
            let columns = panel * FloatPanels.lanes..<min(width, (panel + 1) * FloatPanels.lanes)
            for place in stride(from: 0, to: ids.count, by: 4) {
                let tile = ProductTile(draws, firstLane: place, factor, panel: panel, depth: depth)
                for lane in 0..<min(4, ids.count - place) {
                    let values = tile[lane]
                    for column in columns {
                        rows[(place + lane) * width + column] =
                            mean[column] + spread * Double(values[column - columns.lowerBound])
                    }
                }
            }
        }
    }

    /// Independent standard normal numbers, those of each id as a lane.
    private func normalDraws(_ ids: Range<Int>) -> FloatPanels {
        let draws = FloatPanels(laneCount: ids.count, depth: mean.count)
        for (lane, id) in ids.enumerated() {
            // Input and output draw the same numbers, as in `NormalRows`.
            var generator = NormalGenerator(seed: seed, stream: UInt64(id))
            for place in 0..<mean.count { draws[lane, place] = Float(generator.next()) }
        }
        return draws
    }
}
