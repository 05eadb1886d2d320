public import FileIO
import OrderedJSON

/// What is wrong with an id map.
public enum IDMapError: BadDataError, Equatable {
    case bad(path: String, reason: String)

    public var description: String {
        switch self {
        case .bad(let path, let reason): "\(path): \(reason); give an id-map.json of `kuoci merge --prune`"
        }
    }
}

extension IDMap {
    /// Reads and checks an `id-map.json`: each new id below `new_entries` and given at most once.
    ///
    /// - Throws: `FileError`, `IDMapError`.
    public init(contentsOf path: String) throws {
        func bad(_ reason: String) -> IDMapError { .bad(path: path, reason: reason) }
        let bytes = try readFile(path)
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw bad("is \(error)")
        }
        guard let entries = json["new_entries"]?.int, (1...IDMap.mostEntries).contains(entries) else {
            throw bad("new_entries is not a whole number from 1 to \(IDMap.mostEntries)")
        }
        guard let items = json["new_ids"]?.array, !items.isEmpty else { throw bad("new_ids is not a list of ids") }
        guard json["old_entries"]?.int == items.count else {
            throw bad("old_entries is not the number of items in new_ids, which is \(items.count)")
        }
        var isTaken = [Bool](repeating: false, count: entries)
        let ids: [Int?] = try items.enumerated().map { old, item in
            if item.isNull { return nil }
            guard let id = item.int, isTaken.indices.contains(id) else {
                throw bad("old entry \(old) has no new id from 0 to \(entries - 1), nor null")
            }
            if isTaken[id] { throw bad("new id \(id) is given twice") }
            isTaken[id] = true
            return id
        }
        self.init(newEntries: entries, newIDs: ids)
    }
}
