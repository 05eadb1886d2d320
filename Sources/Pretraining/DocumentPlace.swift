import Corpora
import OrderedJSON

/// Where a document of a text stands.
public struct DocumentPlace: Sendable, Equatable {
    public var path: String
    /// Counted from 1 among the file's documents that hold text.
    public var number: Int
    /// How it begins.
    public var start: String

    public init(path: String, number: Int, start: String) {
        self.path = path
        self.number = number
        self.start = start
    }
}

extension DocumentPlace: CustomStringConvertible {
    public var description: String { "\(path), document \(number) (\(start.debugDescription))" }
}

extension DocumentPlace {
    /// Bytes of a document that are shown.
    private static let startLength = 48

    var json: JSONValue { ["path": .string(path), "document": .integer(number), "starts": .string(start)] }

    init(_ document: [UInt8], path: String, number: Int) {
        let text = String(decoding: document.prefix(Self.startLength), as: UTF8.self)
        // A character that was cut in two is left out.
        let whole = document.count > Self.startLength ? text.prefix { $0 != "\u{FFFD}" } : text[...]
        self.init(path: path, number: number, start: String(whole))
    }
}

extension TextSource {
    /// The documents of the trained part by their numbers there, the first `most` of them.
    func places(of documents: Set<Int>, holdOut: HoldOut?, most: Int) throws -> [DocumentPlace] {
        if documents.isEmpty { return [] }
        var places: [DocumentPlace] = []
        var trained = 0
        for file in files {
            var number = 0
            _ = try Corpora.forEachDocument(of: file.path, format: file.format) { document in
                if document.isEmpty { return }
                number += 1
                if holdOut?.takes(document) == true { return }
                if documents.contains(trained), places.count < most {
                    places.append(DocumentPlace(document, path: file.path, number: number))
                }
                trained += 1
            }
        }
        return places
    }
}
