/// Lines over a common x axis.
package struct LinePlot {
    package struct Line {
        package var name: String
        /// In ascending order of x; points that are no number are left out, and the line has a gap there.
        package var points: [(x: Double, y: Double)]

        package init(_ name: String, _ points: [(x: Double, y: Double)]) {
            self.name = name
            self.points = points
        }
    }

    package var title: String
    package var x: String
    package var lines: [Line]
    /// Places on the x axis where something changes, each with its name.
    package var borders: [(x: Double, name: String)] = []
    /// Whether points are drawn too, for lines of few.
    package var showsPoints = false
    package var showsLegend = true

    package init(_ title: String, x: String, _ lines: [Line]) {
        self.title = title
        self.x = x
        self.lines = lines
    }

    package var svg: String {
        let points = lines.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        let xAxis = Axis(points.map(\.x) + borders.map(\.x))
        let yAxis = Axis(points.map(\.y))
        var frame = PlotFrame(title: title, x: xAxis, y: yAxis, xTitle: x)
        for border in borders { frame.border(at: border.x, border.name) }
        for (number, line) in lines.enumerated() {
            for part in line.points.split(whereSeparator: { !$0.x.isFinite || !$0.y.isFinite }) {
                frame.svg.path(part.map { frame.place($0.x, $0.y) }, "line s\(number % PlotFrame.colours)")
                if !showsPoints { continue }
                for point in part {
                    let tip = "\(line.name): \(shortNumber(point.y)) at \(shortNumber(point.x))"
                    frame.svg.circle(
                        frame.place(point.x, point.y), radius: 3, "dot f\(number % PlotFrame.colours)", tip: tip)
                }
            }
        }
        if showsLegend, lines.count > 1 { frame.legend(lines.map(\.name)) }
        return frame.svg.text
    }
}
