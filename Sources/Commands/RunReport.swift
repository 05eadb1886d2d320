import Reports

// The sections about training. Steps of several runs follow one another.

/// Points of a line at most; more are averaged in groups.
private let mostPoints = 1000

func runTiles(_ runs: [RunLog]) -> [ReportPage.Tile] {
    sets(runs).compactMap { set in
        let values = runs.flatMap(\.measures).filter { $0.set == set }.map(\.bitsPerByte).filter(\.isFinite)
        guard let first = values.first, let last = values.last else { return nil }
        return ReportPage.Tile(fixed(last, 3), "bits per byte, \(set)", note: "\(fixed(first, 3)) at the start")
    }
}

func runSections(_ runs: [RunLog]) -> [ReportPage.Section] {
    if runs.isEmpty { return [] }
    var section = ReportPage.Section(id: "training", "Training")
    section.paragraphs = [
        "Losses of vocabularies of different sizes do not compare: a token stands for more text in the larger one. Bits per "
            + "byte do."
    ]
    section.figures =
        [
            figure("Loss", runs) { $0.steps.map { ($0.number, $0.loss) } },
            figure("Learning rate", runs) { $0.steps.map { ($0.number, $0.learningRate) } },
            figure("Gradient norm", runs) { $0.steps.map { ($0.number, $0.gradientNorm) } },
            bitsPerByte(runs),
        ].compactMap { $0 }
    section.tables = [table(runs)]
    return [section]
}

/// The sets' names in the order in which they come.
private func sets(_ runs: [RunLog]) -> [String] {
    var names: [String] = []
    for measure in runs.flatMap(\.measures) where !names.contains(measure.set) { names.append(measure.set) }
    return names
}

/// How many steps came before each run.
private func starts(_ runs: [RunLog]) -> [Int] {
    runs.dropLast().reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.lastStep) }
}

private func borders(_ runs: [RunLog]) -> [(x: Double, name: String)] {
    zip(starts(runs), runs).map { (Double($0), $1.name) }
}

private func figure(
    _ title: String, _ runs: [RunLog], _ values: (RunLog) -> [(step: Int, value: Double)]
) -> ReportPage.Figure? {
    var width = 1
    let lines = zip(starts(runs), runs).map { start, run in
        let points = values(run)
        width = max(width, (points.count + mostPoints - 1) / mostPoints)
        return LinePlot.Line(run.name, averaged(points.map { (Double(start + $0.step), $0.value) }))
    }
    if lines.allSatisfy(\.points.isEmpty) { return nil }
    var plot = LinePlot(title, x: "step", lines)
    plot.borders = borders(runs)
    plot.showsLegend = false
    return ReportPage.Figure(plot, caption: width > 1 ? "Means of up to \(width) steps." : "")
}

/// Means of neighbouring points, so that there are not too many.
private func averaged(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    let width = (points.count + mostPoints - 1) / mostPoints
    if width <= 1 { return points }
    return stride(from: 0, to: points.count, by: width).map { first in
        let group = points[first..<min(first + width, points.count)]
        let count = Double(group.count)
        return (group.reduce(0) { $0 + $1.x } / count, group.reduce(0) { $0 + $1.y } / count)
    }
}

private func bitsPerByte(_ runs: [RunLog]) -> ReportPage.Figure? {
    let starts = starts(runs)
    let lines = sets(runs).map { set in
        LinePlot.Line(
            set,
            zip(starts, runs).flatMap { start, run in
                run.measures.filter { $0.set == set }.map { (Double(start + $0.step), $0.bitsPerByte) }
            })
    }
    if lines.isEmpty { return nil }
    var plot = LinePlot("Bits per byte of held-out text", x: "step", lines)
    plot.borders = borders(runs)
    plot.showsPoints = true
    return ReportPage.Figure(plot)
}

private func table(_ runs: [RunLog]) -> ReportPage.Table {
    let sets = sets(runs)
    func text(_ value: Double?, _ digits: Int) -> String { fixed(value ?? .nan, digits) }
    let rows = runs.map { run in
        [run.name, "\(run.lastStep)", text(run.steps.first?.loss, 3), text(run.steps.last?.loss, 3)]
            + sets.map { set in
                let values = run.measures.filter { $0.set == set }.map(\.bitsPerByte)
                return "\(text(values.first, 3)) → \(text(values.last, 3))"
            }
            + [text(run.tokensPerSecond, 0), text(run.peakMemoryBytes.map { Double($0) / 1e9 }, 2)]
    }
    return ReportPage.Table(
        "Runs, the later ones after the earlier",
        header: ["run", "steps", "first loss", "last loss"] + sets.map { "bits per byte, \($0)" } + [
            "tokens/s", "GB at most",
        ],
        rows: rows)
}
