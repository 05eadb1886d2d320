import FileIO
import Foundation
import OrderedJSON
import Provenance
import UnicodeText

/// A tokenizer that `kuoci merge` wrote, as its kuoci.json tells of it.
struct ReportedMerge {
    /// What the merge found on `--proof-corpus`.
    struct Proof: Equatable {
        var texts: Int
        /// Those of them without a character of the merge's scripts.
        var withoutScripts: Int
        /// Those of the latter that get other ids than from the base.
        var changed: Int
    }

    let path: String
    let policy: String
    /// The writing systems of which each new row should have a character.
    let scripts: [Script]
    /// Nil where it was given no texts.
    let proof: Proof?
    /// What it extended, as that was then; nil where it is not said.
    private let base: ReportSources.Input?

    /// - Returns: Nil where the directory holds no tokenizer of `kuoci merge`.
    init?(_ directory: String) throws {
        guard FileManager.default.fileExists(atPath: directory + "/tokenizer.model"),
            let manifest = try readManifest(directory), let policy = manifest["options"]?["policy"]?.string
        else { return nil }
        let names = manifest["options"]?["scripts"]?.string ?? "Han"
        do {
            scripts = try parsedScripts(names)
        } catch {
            throw ReportError.badManifest(
                path: directory + "/" + Manifest.fileName, reason: "\"scripts\" is \"\(names)\", no writing systems")
        }
        path = directory
        self.policy = policy
        proof = (manifest["results"]?["proof"]).flatMap(Proof.init)
        base = (manifest["inputs"]?.array?.first).flatMap(ReportSources.Input.init)
    }

    /// The file that it extended, if that is still there, and still the same: a merge whose base was its own output
    /// directory has replaced it.
    func basePath() throws -> String {
        guard let base else { throw ReportError.noBase(tokenizer: path) }
        guard FileManager.default.fileExists(atPath: base.path) else {
            throw ReportError.baseMissing(tokenizer: path, base: base.path)
        }
        guard try SHA256.hexDigest(ofFile: base.path) == base.hash else {
            throw ReportError.baseChanged(tokenizer: path, base: base.path)
        }
        return base.path
    }
}

extension ReportedMerge.Proof {
    init?(_ json: JSONValue) {
        guard let texts = json["texts"]?.int, let without = json["texts_without_scripts"]?.int,
            let changed = json["changed"]?.int
        else { return nil }
        self.init(texts: texts, withoutScripts: without, changed: changed)
    }
}
