import FileIO
import Foundation
import Partitioning

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

    /// The text as ids: found here, or made and kept.
    ///
    /// Of several processes that need the same text at once, one tokenizes it and the others wait. A damaged cache is
    /// made again.
    /// - Throws: `TrainingDataError.noDocuments`, what reading the text throws, or `StopRequest`.
    package func tokens(of text: TextSource, named name: String) throws -> TokenCache {
        let file = path + "/" + text.cacheKey(tokenizer).prefix(32) + ".tokens"
        let cache = try found(file) ?? make(text, named: name, file)
        if cache.counts.targets == 0 { throw TrainingDataError.noDocuments(paths: text.paths) }
        return cache
    }

    /// nil where there is no whole cache.
    private func found(_ file: String) throws -> TokenCache? {
        do {
            return try TokenCache(file)
        } catch FileError.missing {
            return nil
        } catch let error as TrainingDataError {
            observer.note("\(error)")
            return nil
        }
    }

    private func make(_ text: TextSource, named name: String, _ file: String) throws -> TokenCache {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError.unwritable(path: path, reason: error.localizedDescription)
        }
        let lock = try waitForLock(file)
        defer { withExtendedLifetime(lock) {} }
        // Another process may have made it by now.
        if let cache = try found(file) { return cache }
        var writer = try TokenCacheWriter(file, tokenizer: tokenizer, threads: threads)
        let met = try text.forEachDocument { document in
            if observer.isStopped() { throw StopRequest() }
            try writer.append(document)
            observer.progress(.init(stage: "tokenizing \(name), bytes", completed: writer.textBytes))
        }
        _ = try writer.commit(met)
        return try TokenCache(file)
    }

    private func waitForLock(_ file: String) throws -> FileLock {
        let (directory, name) = splitPath(file)
        var hasSaid = false
        while true {
            if let lock = try FileLock("\(directory)/.\(name).lock") { return lock }
            if observer.isStopped() { throw StopRequest() }
            if !hasSaid { observer.note("\(file): another run is making it; waiting") }
            hasSaid = true
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}
