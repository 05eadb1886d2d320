import Reports

/// Ways to train that are to be compared: of each its runs, whose steps follow one another.
struct RunComparison {
    struct Way {
        var name: String
        var runs: [RunLog]
    }

    /// What a run has used up when it is measured.
    private struct Point {
        var bytes = 0
        var seconds: Double? = 0
        var operations: Double? = 0
        var bitsPerByte: [String: Double] = [:]
    }

    private let ways: [(name: String, points: [Point])]
    private let sets: [String]

    init(_ ways: [Way]) {
        self.ways = ways.map { ($0.name, Self.points($0.runs)) }
        var sets: [String] = []
        for measure in ways.flatMap(\.runs).flatMap(\.measures) where !sets.contains(measure.set) {
            sets.append(measure.set)
        }
        self.sets = sets
    }

    /// One for each step that was measured; the end of a run and the beginning of the next are one.
    private static func points(_ runs: [RunLog]) -> [Point] {
        var points: [Point] = []
        var now = Point()
        for run in runs {
            var used = [0: now]
            for step in run.steps {
                now.bytes += step.bytes
                now.seconds = now.seconds.flatMap { sum in run.seconds[step.number].map { sum + $0 } }
                now.operations = now.operations.flatMap { sum in
                    run.operationsPerToken.map { sum + $0 * Double(step.targets) }
                }
                used[step.number] = now
            }
            for measure in run.measures {
                guard var point = used[measure.step] else { continue }
                if let last = points.last, last.bytes == point.bytes { point = points.removeLast() }
                point.bitsPerByte[measure.set] = measure.bitsPerByte
                points.append(point)
            }
        }
        return points
    }

    var section: ReportPage.Section {
        var section = ReportPage.Section(id: "comparison", "Ways compared")
        section.paragraphs = [
            "Bits per byte of held-out text, where vocabularies of all sizes compare: after so much text, after so much "
                + "computing, and after so long; and what one language gains against what another loses."
        ]
        let most = ways.flatMap(\.points).compactMap(\.operations).max() ?? 0
        let unit: (name: String, size: Double) =
            most < 1e13 ? ("GFLOP", 1e9) : most < 1e16 ? ("TFLOP", 1e12) : ("PFLOP", 1e15)
        section.figures =
            sets.flatMap { set in
                [
                    figure("\(set): bits per byte by text", x: "MB of text", set) { Double($0.bytes) / 1e6 },
                    figure("\(set): bits per byte by computing", x: unit.name, set) {
                        $0.operations.map { $0 / unit.size }
                    },
                    figure("\(set): bits per byte by time", x: "minutes of steps", set) { $0.seconds.map { $0 / 60 } },
                ].compactMap { $0 }
            } + balance
        section.tables = [table(unit)]
        return section
    }

    /// Nil where a run does not say what the x axis shows, or has nothing but its beginning.
    private func figure(_ title: String, x: String, _ set: String, _ value: (Point) -> Double?) -> ReportPage.Figure? {
        if ways.contains(where: { $0.points.contains { value($0) == nil } }) { return nil }
        let lines = ways.map { name, points in
            LinePlot.Line(name, points.compactMap { point in point.bitsPerByte[set].map { (value(point) ?? 0, $0) } })
        }
        if lines.allSatisfy({ $0.points.allSatisfy { $0.x == 0 } }) { return nil }
        var plot = LinePlot(title, x: x, lines)
        plot.showsPoints = true
        return ReportPage.Figure(plot)
    }

    /// The first set against each other one.
    private var balance: [ReportPage.Figure] {
        guard let first = sets.first else { return [] }
        return sets.dropFirst().map { other in
            let lines = ways.map { name, points in
                LinePlot.Line(
                    name,
                    points.compactMap { point in
                        guard let x = point.bitsPerByte[other], let y = point.bitsPerByte[first] else { return nil }
                        return (x, y)
                    })
            }
            var plot = LinePlot("\(first) against \(other)", x: "bits per byte, \(other)", lines)
            plot.showsPoints = true
            return ReportPage.Figure(
                plot, caption: "Further down and further left is better; lines begin before training.")
        }
    }

    private func table(_ unit: (name: String, size: Double)) -> ReportPage.Table {
        func text(_ value: Double?, _ digits: Int) -> String { fixed(value ?? .nan, digits) }
        let rows = ways.map { name, points in
            [
                name, text(points.last.map { Double($0.bytes) / 1e6 }, 2),
                text(points.last?.operations.map { $0 / unit.size }, 1),
            ]
                + sets.map { set in
                    let values = points.compactMap { $0.bitsPerByte[set] }
                    return "\(text(values.first, 3)) → \(text(values.last, 3))"
                }
        }
        return ReportPage.Table(
            "At the end", header: ["", "MB of text", unit.name] + sets.map { "bits per byte, \($0)" }, rows: rows)
    }
}
