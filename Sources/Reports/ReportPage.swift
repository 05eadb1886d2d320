import FileIO
import Foundation
import Mustache

/// A page of sections with figures, tables and sentences, in one file that needs no other.
package struct ReportPage {
    package var title: String
    package var subtitle = ""
    /// The numbers that matter most.
    package var tiles: [Tile] = []
    package var sections: [Section] = []

    /// What the template puts into the page's style; stored, since the template sees nothing else.
    let figureStyle = Figure.style

    package init(title: String) {
        self.title = title
    }

    package struct Tile {
        package var value: String
        package var name: String
        package var note: String

        package init(_ value: String, _ name: String, note: String = "") {
            self.value = value
            self.name = name
            self.note = note
        }
    }

    package struct Section {
        package var id: String
        package var title: String
        package var paragraphs: [String] = []
        package var figures: [Figure] = []
        package var tables: [Table] = []
        package var sentences: [Sentence] = []
        /// Lists of pieces, each with its number.
        package var pieceLists: [PieceList] = []

        package init(id: String, _ title: String) {
            self.id = id
            self.title = title
        }

        package var isEmpty: Bool {
            figures.isEmpty && tables.isEmpty && sentences.isEmpty && pieceLists.isEmpty && paragraphs.isEmpty
        }
    }

    package struct Figure {
        var svg: String
        var caption: String
        package let title: String

        package init(_ plot: LinePlot, caption: String = "") {
            (svg, title) = (plot.svg, plot.title)
            self.caption = caption
        }

        package init(_ plot: BarPlot, caption: String = "") {
            (svg, title) = (plot.svg, plot.title)
            self.caption = caption
        }

        /// Colours, light and dark, and lines, for a page and for a file of its own.
        static var style: String { String(decoding: PackageResources.figure_css, as: UTF8.self) }

        /// The plot as an SVG file that needs no page around it.
        package var file: String {
            let style = "svg { font-family: system-ui, sans-serif; background: var(--ground); }\n" + Self.style
            let opening = svg.prefix { $0 != ">" }
            return opening + " xmlns=\"http://www.w3.org/2000/svg\"><style>\n\(style)</style>"
                + svg.dropFirst(opening.count + 1) + "\n"
        }
    }

    /// The first column holds names, the others numbers, or text.
    package struct Table {
        var caption: String
        var header: [Cell]
        var rows: [Row]

        struct Cell {
            var text: String
            var kind: String
        }

        struct Row {
            var cells: [Cell]
        }

        package init(_ caption: String, header: [String], rows: [[String]], holdsText: Bool = false) {
            func cells(_ texts: [String]) -> [Cell] {
                texts.enumerated().map { Cell(text: $1, kind: $0 == 0 ? "name" : holdsText ? "text" : "number") }
            }
            self.caption = caption
            self.header = cells(header)
            self.rows = rows.map { Row(cells: cells($0)) }
        }
    }

    /// A text as two tokenizers cut it.
    package struct Sentence {
        package struct Cut {
            package var name: String
            package var count: Int
            package var pieces: [Piece]

            package init(_ name: String, _ pieces: [Piece]) {
                self.name = name
                count = pieces.count
                self.pieces = pieces
            }
        }

        package struct Piece {
            package var text: String
            /// `byte` for a piece of one byte, `new` for one that the base lacks, else `old`.
            package var kind: String

            package init(_ text: String, kind: String) {
                self.text = text
                self.kind = kind
            }
        }

        package var cuts: [Cut]

        package init(_ cuts: [Cut]) {
            self.cuts = cuts
        }
    }

    package struct PieceList {
        package struct Entry {
            var piece: String
            var note: String

            package init(_ piece: String, note: String = "") {
                self.piece = piece
                self.note = note
            }
        }

        var caption: String
        var entries: [Entry]

        package init(_ caption: String, _ entries: [Entry]) {
            self.caption = caption
            self.entries = entries
        }
    }

    package func html() throws -> String {
        let template = try MustacheTemplate(string: String(decoding: PackageResources.report_mustache, as: UTF8.self))
        return template.render(self)
    }

    package func write(to path: String) throws {
        try writeFile(path, Array(html().utf8))
    }
}
