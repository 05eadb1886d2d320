import ArgumentParser
import OrderedJSON
import VocabularyMerging

/// How many rows and in what files `kuoci resize` writes.
struct ResizeLayoutOptions: ParsableArguments {
    @Option(help: "Pad the rows until N divides them; vocab_size says the padded number, as in transformers.")
    var padToMultiple = 1

    @Option(
        help: """
            Where each old entry is in the tokenizer (id-map.json of `kuoci merge --prune`): rows move so, those without \
            a place are dropped, and the ids in config.json follow.
            """)
    var idMap: String?

    @Option(
        help: "Deal all tensors out to files of at most this size, such as 5GB (default: the files stay as they are).")
    var maxShardSize: ByteSize?

    @Flag(
        help: """
            Make files that do not change hard links to the old ones: they take no room and no time, are not hashed, and \
            are one file under two names.
            """)
    var link = false

    @Flag(help: "Only say what would be written, from the files' headers, or why nothing would.")
    var dryRun = false

    func validate() throws {
        if padToMultiple < 1 { throw ValidationError("--pad-to-multiple must be at least 1") }
        if link, maxShardSize != nil {
            throw ValidationError("--link keeps files as they are and --max-shard-size makes all anew; give one")
        }
    }

    func map() throws -> IDMap? {
        try idMap.map { try IDMap(contentsOf: $0) }
    }

    func addMembers(to options: inout JSONValue) {
        options["pad_to_multiple"] = .integer(padToMultiple)
        options["id_map"] = idMap.map { .string($0) } ?? .null
        options["max_shard_size"] = maxShardSize.map { .integer($0.bytes) } ?? .null
        options["link"] = .bool(link)
    }
}
