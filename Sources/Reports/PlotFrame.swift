import Foundation

/// What all plots share: title, axes with marks, grid, legend. The page's style sheet gives the colours.
struct PlotFrame {
    /// Colours that the style sheet has.
    static let colours = 6

    var svg: SVG
    let left = 52.0
    let top = 50.0
    let bottom = 228.0
    let width = 416.0
    private let x: Axis?
    private let y: Axis

    init(title: String, x: Axis?, y: Axis, xTitle: String, unit: String = "") {
        self.x = x
        self.y = y
        svg = SVG(width: 480, height: 264, label: title)
        svg.text(title, at: Point(x: 0, y: 14), "title")
        for tick in y.ticks {
            let height = bottom - y.place(tick) * (bottom - top)
            svg.line(Point(x: left, y: height), Point(x: left + width, y: height), tick == y.lower ? "axis" : "grid")
            svg.text(y.text(tick) + unit, at: Point(x: left - 6, y: height + 4), anchor: "end")
        }
        for tick in x?.ticks ?? [] {
            svg.text(x?.text(tick) ?? "", at: Point(x: place(tick, y.lower).x, y: bottom + 16), anchor: "middle")
        }
        if !xTitle.isEmpty { svg.text(xTitle, at: Point(x: left + width, y: bottom + 33), anchor: "end") }
    }

    func place(_ value: Double, _ height: Double) -> Point {
        Point(x: left + (x?.place(value) ?? 0) * width, y: bottom - y.place(height) * (bottom - top))
    }

    mutating func border(at value: Double, _ name: String) {
        let place = place(value, y.lower)
        svg.line(Point(x: place.x, y: top), Point(x: place.x, y: bottom), "border")
        svg.text(name, at: Point(x: place.x, y: top - 4))
    }

    /// The names of lines or bars below the title, in a second row where they do not fit into one.
    mutating func legend(_ names: [String]) {
        var place = Point(x: left, y: 21)
        for (number, name) in names.enumerated() {
            // Ideographs are twice as wide.
            let width = 14 + name.unicodeScalars.reduce(0) { $0 + ($1.value < 0x2E80 ? 6.0 : 12) }
            if place.x + width > left + self.width, place.x > left { place = Point(x: left, y: place.y + 13) }
            svg.rectangle(place, width: 10, height: 10, "f\(number % Self.colours)")
            svg.text(name, at: Point(x: place.x + 14, y: place.y + 9))
            place.x += width + 14
        }
    }
}

/// Four digits that matter.
func shortNumber(_ value: Double) -> String {
    if abs(value) >= 1e5 || (value != 0 && abs(value) < 1e-4) { return String(format: "%.3g", value) }
    if value == value.rounded() { return String(format: "%.0f", value) }
    return String(format: abs(value) >= 100 ? "%.1f" : abs(value) >= 10 ? "%.2f" : "%.3f", value)
}
