import FileIO
import Foundation
import OrderedJSON
import Provenance

extension ModelConfig {
    /// The first row that is new since `kuoci resize`, as the kuoci.json beside config.json says: all from there on are.
    /// nil where nothing says so, or old rows come after new ones.
    ///
    /// - Throws: `CheckpointError` if kuoci.json is no JSON object or its number does not fit the vocabulary.
    public func entriesBeforeResizing() throws -> Int? {
        let manifest = (path as NSString).deletingLastPathComponent + "/" + Manifest.fileName
        guard FileManager.default.fileExists(atPath: manifest) else { return nil }
        let results = try readJSONObject(manifest)["results"]
        // Before rows could be dropped, the number of old entries said it.
        let key = results?["first_new_row"] == nil ? "old_entries" : "first_new_row"
        guard let value = results?[key], !value.isNull else { return nil }
        guard let entries = value.int, entries > 0, entries < (try vocabularySize) else {
            throw CheckpointError.missingKey(
                path: manifest, key: key, expected: "above 0 and below the vocabulary's \(try vocabularySize)"
            )
        }
        return entries
    }
}
