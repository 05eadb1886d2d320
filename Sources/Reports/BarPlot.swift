/// Groups of bars side by side.
package struct BarPlot {
    package var title: String
    /// What a group stands for, one name each.
    package var groups: [String]
    /// Each series has a value for each group, in their order.
    package var series: [(name: String, values: [Double])]
    /// What follows a number, such as ` %`.
    package var unit = ""

    package init(_ title: String, groups: [String], series: [(name: String, values: [Double])]) {
        self.title = title
        self.groups = groups
        self.series = series
    }

    package var svg: String {
        let yAxis = Axis(series.flatMap(\.values), includesZero: true)
        var frame = PlotFrame(title: title, x: nil, y: yAxis, xTitle: "", unit: unit)
        let room = frame.width / Double(max(1, groups.count))
        let thickness = min(48, room * 0.78 / Double(max(1, series.count)))
        // Names that would run into one another stand on two rows, or are left out; the tips have them.
        let longest = groups.map(\.unicodeScalars.count).max() ?? 1
        let every = max(1, Int((Double(longest) * 5.8 + 4) / room) + 1)
        for (group, name) in groups.enumerated() {
            let center = frame.left + (Double(group) + 0.5) * room
            if group % max(1, every / 2) == 0 {
                let isLower = every > 1 && group / max(1, every / 2) % 2 == 1
                frame.svg.text(name, at: Point(x: center, y: frame.bottom + (isLower ? 30 : 16)), anchor: "middle")
            }
            for (number, series) in series.enumerated() where group < series.values.count {
                let value = series.values[group]
                guard value.isFinite else { continue }
                let x = center + (Double(number) - Double(self.series.count) / 2) * thickness
                let height = yAxis.place(value) * (frame.bottom - frame.top)
                frame.svg.rectangle(
                    Point(x: x + 0.5, y: frame.bottom - height), width: max(0.5, thickness - 1), height: height,
                    "f\(number % PlotFrame.colours)", tip: "\(series.name), \(name): \(shortNumber(value))\(unit)")
                // Few bars bear their number.
                if groups.count * self.series.count <= 12 {
                    frame.svg.text(
                        shortNumber(value), at: Point(x: x + thickness / 2, y: frame.bottom - height - 4),
                        anchor: "middle",
                        "value")
                }
            }
        }
        if series.count > 1 { frame.legend(series.map(\.name)) }
        return frame.svg.text
    }
}
