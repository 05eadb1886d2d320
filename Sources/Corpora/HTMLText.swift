internal import CLibXML2
import UnicodeText

/// The paragraphs of an HTML page, in reading order: text of block elements, without scripts, navigation and listings.
///
/// Any bytes are taken: libxml2's HTML parser mends what it can, as browsers do.
func paragraphs(ofHTML page: [UInt8]) -> [[UInt8]] {
    _ = parserIsReady
    guard !page.isEmpty, let size = Int32(exactly: page.count) else { return [] }
    let options =
        HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue
        | HTML_PARSE_NONET.rawValue | HTML_PARSE_COMPACT.rawValue
    // A page that is UTF-8 is read as that, whatever it says of itself.
    let encoding = page.withUnsafeBytes { firstInvalidUTF8(in: $0) } == nil ? "UTF-8" : nil
    let document = page.withUnsafeBytes { bytes in
        htmlReadMemory(bytes.bindMemory(to: CChar.self).baseAddress, size, nil, encoding, Int32(options))
    }
    guard let document else { return [] }
    defer { xmlFreeDoc(document) }
    var walk = HTMLWalk()
    walk.visit(xmlDocGetRootElement(document))
    return walk.collector.finish()
}

/// libxml2 wants to be started once before threads use it.
private let parserIsReady: Bool = {
    xmlInitParser()
    return true
}()

/// Walks a tree without recursion, so that no nesting is too deep.
private struct HTMLWalk {
    var collector = ParagraphCollector()

    mutating func visit(_ root: xmlNodePtr?) {
        guard let root else { return }
        var node = root
        while true {
            if enter(node), let child = node.pointee.children {
                node = child
                continue
            }
            leave(node)
            while node.pointee.next == nil || node == root {
                guard node != root, let parent = node.pointee.parent else { return }
                node = parent
                leave(node)
            }
            guard let next = node.pointee.next else { return }
            node = next
        }
    }

    /// Whether the node's children are to be read.
    private mutating func enter(_ node: xmlNodePtr) -> Bool {
        switch node.pointee.type {
        case XML_TEXT_NODE, XML_CDATA_SECTION_NODE:
            if let content = node.pointee.content { collector.append(cString(content)) }
            return false
        case XML_ELEMENT_NODE:
            let element = name(node)
            if element == "br" { collector.append([0x0A]) }
            if blockElements.contains(element) { collector.endParagraph() }
            return !skippedElements.contains(element) && !isNavigation(node)
        default: return false
        }
    }

    private mutating func leave(_ node: xmlNodePtr) {
        guard node.pointee.type == XML_ELEMENT_NODE, blockElements.contains(name(node)) else { return }
        collector.endParagraph()
    }
}

private func name(_ node: xmlNodePtr) -> String {
    node.pointee.name.map { String(cString: $0) } ?? ""
}

private func cString(_ start: UnsafePointer<xmlChar>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: start, count: Int(xmlStrlen(start)))
}

/// Whether the node's class, id or role marks what every page of a manual repeats, or a listing.
private func isNavigation(_ node: xmlNodePtr) -> Bool {
    var attribute = node.pointee.properties
    while let current = attribute {
        attribute = current.pointee.next
        guard let name = current.pointee.name, let value = current.pointee.children?.pointee.content else { continue }
        guard ["class", "id", "role"].contains(String(cString: name)) else { continue }
        let words = String(cString: value).lowercased().split(separator: " ")
        if words.contains(where: { navigationClasses.contains(String($0)) }) { return true }
    }
    return false
}

private let blockElements: Set<String> = [
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "option", "p", "pre", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul",
]

private let skippedElements: Set<String> = [
    "script", "style", "head", "noscript", "nav", "header", "footer", "aside", "button", "select", "textarea", "pre",
    "svg", "math", "object", "iframe", "template", "audio", "video", "form",
    // Mallard: who wrote the page.
    "info",
]

/// DocBook, Asciidoctor, Texinfo, Publican, Sphinx and LibreOffice each have their own names for navigation.
private let navigationClasses: Set<String> = [
    "navheader", "navfooter", "docnav", "nav", "navigation", "toc", "toctitle", "breadcrumb", "breadcrumbs", "footer",
    "header", "nav_table", "toc_uplink", "legalnotice", "revhistory", "programlisting", "screen", "synopsis",
    "indexterm", "index", "indexdiv", "literallayout", "listingblock", "contents", "footnotes_language", "lily",
    "relatedtopics", "titlepage_copyright", "related",
    // LibreOffice writes the names of macOS beside the others.
    "mac",
]
