import Checkpoints
import OrderedCollections
import OrderedJSON
import VocabularyMerging

/// The same config with the ids in it replaced by those that the map gives them: of the keys `bos_token_id`,
/// `eos_token_id` and all others that end so, and of lists of ids such as `suppress_tokens`.
///
/// - Throws: `ResizingError.droppedID` for an id that the map gives no new one.
func mappingTokenIDs(_ config: JSONValue, by map: IDMap, path: String) throws -> JSONValue {
    guard let members = config.object else { return config }
    var result = config
    for (key, value) in members where holdsTokenIDs(key) {
        result[key] = try mapped(value) { id in
            // What stands for "none", as LLaMA 1's pad_token_id of -1 does.
            if id < 0 { return id }
            guard id < map.newIDs.count, let new = map.newIDs[id] else {
                throw ResizingError.droppedID(path: path, key: key, id: id)
            }
            return new
        }
    }
    return result
}

private func holdsTokenIDs(_ key: String) -> Bool {
    key.hasSuffix("_token_id") || key.hasSuffix("_token_ids")
        || ["suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "force_words_ids"].contains(key)
}

/// The numbers of a value, at whatever depth of lists; anything else stays.
private func mapped(_ value: JSONValue, _ body: (Int) throws -> Int) rethrows -> JSONValue {
    if let id = value.int { return .integer(try body(id)) }
    guard let items = value.array else { return value }
    return .array(try items.map { try mapped($0, body) })
}
