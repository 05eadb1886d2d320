package import Corpora
import FileIO
import Foundation
import Partitioning

/// A text as ids: what to train on, and what was set aside.
package struct TokenizedText: Sendable {
    package let trained: TokenCache
    /// nil where nothing was to be set aside.
    package let heldOut: TokenCache?
}

/// Where tokenized texts are kept and found again, each under a name that says all its ids depend on.
package struct TokenCacheDirectory {
    let path: String
    let tokenizer: TrainingTokenizer
    let threads: Int
    let observer: RunObserver

    package init(_ path: String, tokenizer: TrainingTokenizer, threads: Int, observer: RunObserver) {
        self.path = path
        self.tokenizer = tokenizer
        self.threads = threads
        self.observer = observer
    }

    /// The text as ids, found here or made and kept, without what is to be held out.
    ///
    /// Of several processes that need the same text at once, one tokenizes it and the others wait. A damaged cache is
    /// made again.
    /// - Throws: `TrainingDataError.noDocuments` or `.badHoldOut`, what reading the text throws, or `StopRequest`.
    package func tokens(of text: TextSource, named name: String, holdOut: HoldOut? = nil) throws -> TokenizedText {
        let files = Files(path + "/" + text.cacheKey(tokenizer, holdOut).prefix(32), hasHeldOut: holdOut != nil)
        let found = try found(files) ?? make(text, named: name, holdOut, files)
        let (trained, heldOut) = (found.trained.counts.documents, found.heldOut?.counts.documents)
        if trained + (heldOut ?? 0) == 0 {
            for path in [files.trained, files.heldOut] {
                if let path { try? FileManager.default.removeItem(atPath: path) }
            }
            throw TrainingDataError.noDocuments(paths: text.paths)
        }
        if let holdOut, let heldOut, min(trained, heldOut) == 0 {
            throw TrainingDataError.badHoldOut(
                paths: text.paths, share: holdOut.share, heldOut: heldOut, documents: trained + heldOut)
        }
        return found
    }

    private struct Files {
        let lock: String
        let trained: String
        let heldOut: String?

        init(_ stem: String, hasHeldOut: Bool) {
            let (directory, name) = splitPath(stem)
            lock = "\(directory)/.\(name).lock"
            trained = stem + ".tokens"
            heldOut = hasHeldOut ? stem + ".heldout.tokens" : nil
        }
    }

    /// nil where there is no whole cache.
    private func found(_ files: Files) throws -> TokenizedText? {
        do {
            return TokenizedText(
                trained: try TokenCache(files.trained), heldOut: try files.heldOut.map { try TokenCache($0) })
        } catch FileError.missing {
            return nil
        } catch let error as TrainingDataError {
            observer.note("\(error)")
            return nil
        }
    }

    private func make(
        _ text: TextSource, named name: String, _ holdOut: HoldOut?, _ files: Files
    ) throws -> TokenizedText {
        try makeDirectory(path)
        let lock = try waitForLock(files)
        defer { withExtendedLifetime(lock) {} }
        // Another process may have made it by now.
        if let caches = try found(files) { return caches }
        removeLeftovers(files)
        var trained = try TokenCacheWriter(files.trained, tokenizer: tokenizer, threads: threads)
        var heldOut = try files.heldOut.map { try TokenCacheWriter($0, tokenizer: tokenizer, threads: threads) }
        let met = try text.forEachDocument { document in
            if observer.isStopped() { throw StopRequest() }
            if let holdOut, holdOut.takes(document) {
                try heldOut?.append(document)
            } else {
                try trained.append(document)
            }
            observer.progress(.init(stage: "tokenizing \(name), bytes", completed: trained.textBytes))
        }
        try heldOut?.commit()
        try trained.commit(met)
        return TokenizedText(
            trained: try TokenCache(files.trained), heldOut: try files.heldOut.map { try TokenCache($0) })
    }

    /// Removes what a killed run left half written; nobody but the lock's holder writes such files.
    private func removeLeftovers(_ files: Files) {
        let stems = [files.trained, files.heldOut].compactMap { $0 }.map { ".\(splitPath($0).name).tmp-" }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where stems.contains(where: { name.hasPrefix($0) }) {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }

    private func waitForLock(_ files: Files) throws -> FileLock {
        var hasSaid = false
        while true {
            if let lock = try FileLock(files.lock) { return lock }
            if observer.isStopped() { throw StopRequest() }
            if !hasSaid { observer.note("\(files.trained): another run is making it; waiting") }
            hasSaid = true
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}
