/// An inline SVG drawing, put together as text.
struct SVG {
    private let width: Double
    private let height: Double
    private let label: String
    private var body = ""

    /// - Parameter label: what a screen reader says of the drawing.
    init(width: Double, height: Double, label: String) {
        self.width = width
        self.height = height
        self.label = label
    }

    mutating func line(_ from: Point, _ to: Point, _ name: String) {
        body += "<line class=\"\(name)\" x1=\"\(short(from.x))\" y1=\"\(short(from.y))\""
        body += " x2=\"\(short(to.x))\" y2=\"\(short(to.y))\"/>"
    }

    mutating func path(_ points: [Point], _ name: String) {
        guard let first = points.first else { return }
        let rest = points.dropFirst().map { "L\(short($0.x)) \(short($0.y))" }.joined()
        body += "<path class=\"\(name)\" d=\"M\(short(first.x)) \(short(first.y))\(rest)\"/>"
    }

    mutating func circle(_ center: Point, radius: Double, _ name: String, tip: String = "") {
        body += "<circle class=\"\(name)\" cx=\"\(short(center.x))\" cy=\"\(short(center.y))\" r=\"\(short(radius))\">"
        body += title(tip) + "</circle>"
    }

    mutating func rectangle(_ corner: Point, width: Double, height: Double, _ name: String, tip: String = "") {
        body += "<rect class=\"\(name)\" x=\"\(short(corner.x))\" y=\"\(short(corner.y))\""
        body += " width=\"\(short(width))\" height=\"\(short(height))\" rx=\"1.5\">\(title(tip))</rect>"
    }

    /// - Parameter anchor: `start`, `middle` or `end` of the text is at the place.
    mutating func text(_ text: String, at place: Point, anchor: String = "start", _ name: String = "label") {
        body += "<text class=\"\(name)\" x=\"\(short(place.x))\" y=\"\(short(place.y))\""
        body += " text-anchor=\"\(anchor)\">\(escaped(text))</text>"
    }

    var text: String {
        "<svg viewBox=\"0 0 \(short(width)) \(short(height))\" role=\"img\""
            + " aria-label=\"\(escaped(label))\">\(body)</svg>"
    }

    private func title(_ tip: String) -> String { tip.isEmpty ? "" : "<title>\(escaped(tip))</title>" }
}

struct Point {
    var x: Double
    var y: Double
}

/// A tenth of a pixel is enough.
private func short(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    guard tenths.isFinite, abs(tenths) < 1e9 else { return "0" }
    return tenths.truncatingRemainder(dividingBy: 10) == 0 ? "\(Int(tenths) / 10)" : "\(tenths / 10)"
}

/// Text that HTML and SVG show as it is.
func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
