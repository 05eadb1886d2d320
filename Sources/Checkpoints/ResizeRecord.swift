import FileIO
import Foundation
import OrderedJSON
import Provenance

extension ModelConfig {
    /// The entries that the vocabulary had before `kuoci resize`, as the kuoci.json beside config.json says: the rows
    /// from there on are new. nil where nothing says so.
    ///
    /// - Throws: `CheckpointError` if kuoci.json is no JSON object or its number does not fit the vocabulary.
    public func entriesBeforeResizing() throws -> Int? {
        let manifest = (path as NSString).deletingLastPathComponent + "/" + Manifest.fileName
        guard FileManager.default.fileExists(atPath: manifest) else { return nil }
        guard let value = try readJSONObject(manifest)["results"]?["old_entries"] else { return nil }
        guard let entries = value.int, entries > 0, entries < (try vocabularySize) else {
            throw CheckpointError.missingKey(
                path: manifest, key: "old_entries", expected: "above 0 and below the vocabulary's \(try vocabularySize)"
            )
        }
        return entries
    }
}
