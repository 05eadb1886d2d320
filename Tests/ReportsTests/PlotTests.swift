import Foundation
import Testing

@testable import Reports

@Suite struct PlotTests {
    @Test(arguments: [
        ([0.911, 0.236], true, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), ([6.1, 10.9], false, [6, 7, 8, 9, 10, 11]),
        ([0, 17_953], false, [0, 5000, 10_000, 15_000, 20_000]), ([-3, 4], true, [-4, -2, 0, 2, 4]),
    ])
    func `marks are round and hold the values`(_ values: [Double], _ includesZero: Bool, _ ticks: [Double]) {
        let axis = Axis(values, includesZero: includesZero)
        #expect(axis.ticks.count == ticks.count)
        #expect(zip(axis.ticks, ticks).allSatisfy { abs($0 - $1) < 1e-9 })
        #expect(axis.place(axis.lower) == 0 && axis.place(axis.upper) == 1)
    }

    @Test(arguments: [
        [], [0], [5], [2e-3, 2e-3], [.nan, .infinity], [1e300], [-1e-300], [1e18, 1e18 + 1], [-1e308, 1e308], [5e-324],
        [.greatestFiniteMagnitude],
    ])
    func `an axis of anything has marks`(_ values: [Double]) {
        for includesZero in [true, false] {
            let axis = Axis(values, includesZero: includesZero)
            #expect(axis.ticks.count >= 2 && axis.upper > axis.lower)
            #expect(axis.ticks.allSatisfy { !axis.text($0).isEmpty })
            #expect(values.filter(\.isFinite).allSatisfy { (0...1).contains(axis.place($0)) })
        }
    }

    @Test(arguments: [(0.0005, "0.0005"), (20_000, "20k"), (3_000_000, "3M"), (0, "0")])
    func `marks are short`(_ value: Double, _ text: String) {
        #expect(Axis([0, value]).text(value) == text)
    }

    @Test func `a line has gaps where there is no number, and points where they are asked for`() {
        var plot = LinePlot("Loss", x: "step", [.init("a", [(0, 1), (1, 2), (2, .nan), (3, 4), (4, 3)])])
        #expect(plot.svg.components(separatedBy: "<path").count == 3)
        #expect(!plot.svg.contains("<circle"))
        plot.showsPoints = true
        #expect(plot.svg.components(separatedBy: "<circle").count == 5)
        #expect(!plot.svg.contains("nan"))
    }

    @Test func `bars stand on zero, few of them with their numbers`() {
        let plot = BarPlot(
            "Tokens", groups: ["zh", "en"], series: [("before", [0.911, 0.2]), ("after", [0.49, .nan])])
        #expect(plot.svg.contains(">0.911</text>") && plot.svg.contains(">0.490</text>"))
        // Three bars and two marks of the legend.
        #expect(plot.svg.components(separatedBy: "<rect").count == 6)
    }

    @Test func `names are shown as they are`() {
        let plot = LinePlot("a < b & \"c\"", x: "x", [.init("<script>", [(0, 1)]), .init("人", [(0, 2)])])
        #expect(plot.svg.contains("a &lt; b &amp; &quot;c&quot;") && plot.svg.contains("&lt;script&gt;"))
        #expect(!plot.svg.contains("<script"))
    }
}
