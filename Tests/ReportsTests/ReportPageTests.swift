import Foundation
import FoundationXML
import Testing

@testable import Reports

@Suite struct ReportPageTests {
    private let plot = LinePlot("A plot", x: "step", [.init("a line", [(0, 1), (1, 2)])])

    private var page: ReportPage {
        var page = ReportPage(title: "A <page> & more")
        page.tiles = [.init("0.49", "tokens", note: "before: 0.91")]
        var section = ReportPage.Section(id: "one", "One")
        section.figures = [.init(plot, caption: "a caption")]
        section.tables = [.init("Table", header: ["name", "count"], rows: [["<b>", "3"]])]
        section.sentences = [.init([.init("before", [.init("人", kind: "old"), .init("E4", kind: "byte")])])]
        section.pieceLists = [.init("Pieces", [.init("▁the", note: "12")])]
        page.sections = [section]
        return page
    }

    @Test func `what was given is there, escaped but for drawings`() throws {
        let html = try page.html()
        for part in [
            "<title>A &lt;page&gt; &amp; more</title>", "<b>0.49</b>", "before: 0.91",
            plot.svg, "svg .line { fill: none;",
            "<td class=\"name\">&lt;b&gt;</td><td class=\"number\">3</td>", "before, 2", "<i class=\"byte\">E4</i>",
            "▁the<small>12</small>", "href=\"#one\"", "a caption",
        ] {
            #expect(html.contains(part), "\(part)")
        }
    }

    @Test func `it needs no other file, and no mark of the template is left`() throws {
        let html = try page.html()
        #expect(!html.contains("{{") && !html.contains("}}"))
        for address in ["http:", "https:", "src=", "@import", "url("] { #expect(!html.contains(address)) }
    }

    @Test func `a section without figures has no room for them`() throws {
        var page = page
        page.sections[0].figures = []
        let html = try page.html()
        #expect(!html.contains("<div class=\"figures\">"))
    }

    @Test func `a plot is a file of its own that is XML and brings its colours`() throws {
        let file = ReportPage.Figure(plot).file
        let parser = XMLParser(data: Data(file.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(file.contains("<path class=\"line s0\"") && file.contains(".s0 { stroke: var(--s0); }"))
        #expect(file.contains("--s0: ") && file.contains("xmlns=\"http://www.w3.org/2000/svg\""))
    }
}
