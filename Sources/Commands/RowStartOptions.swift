public import ArgumentParser
public import CheckpointResizing
package import OrderedJSON

/// How new rows start, for the verbs that make them.
package struct RowStartOptions: ParsableArguments {
    @Option(
        name: .customLong("init"),
        help: """
            How new rows start: zero, normal (each column drawn with the old rows' mean and deviation), mean (of all old \
            rows), covariance (drawn with the old rows' mean and covariance), subword-mean (of the rows of the pieces that \
            the model's own tokenizer makes of the new piece), subword-first-last (of these the last for the input, the \
            first for the head), script (as normal, from the old rows of the piece's script) or neighbours (a mixture of \
            the old rows whose pieces stand in similar surroundings in --init-text).
            """)
    var initialization = RowInitialization.subwordMean

    @Option(help: ArgumentHelp("The same for the input embedding alone (default: as --init).", valueName: "init"))
    var initInput: RowInitialization?

    @Option(help: ArgumentHelp("The same for the LM head alone (default: as --init).", valueName: "init"))
    var initHead: RowInitialization?

    @Option(help: "What becomes of a new row's norm: keep, or match (that of old rows, on the average).")
    var initNorm = RowNorm.keep

    @OptionGroup var details: RowStartDetails

    package init() {}

    package func validate() throws {
        let needsText = [starts.input, starts.head].contains(.neighbours)
        if needsText, details.initText.isEmpty { throw ValidationError("--init neighbours needs --init-text FILES") }
        if !needsText, !details.initText.isEmpty { throw ValidationError("only --init neighbours reads --init-text") }
    }

    package var starts: RowStarts {
        details.starts(input: initInput ?? initialization, head: initHead ?? initialization, initNorm)
    }
}

/// What the ways of starting share.
package struct RowStartDetails: ParsableArguments {
    @Option(help: "What the deviations that normal, covariance and script draw with are multiplied with.")
    package var initSpread = 1.0

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Texts that neighbours learns from: .txt or .jsonl, plain, .gz or .zst.", valueName: "file"))
    package var initText: [String] = []

    @Option(help: "Where the random numbers of normal, covariance and script begin.")
    package var seed: UInt64 = 0

    package init() {}

    package func validate() throws {
        guard initSpread.isFinite, initSpread >= 0 else {
            throw ValidationError("--init-spread \(initSpread): must be 0 or more")
        }
    }

    package func starts(input: RowInitialization, head: RowInitialization, _ norm: RowNorm) -> RowStarts {
        RowStarts(input: input, head: head, norm: norm, spread: initSpread, seed: seed, texts: initText)
    }
}

extension RowStarts {
    /// Every option in force, for kuoci.json.
    package func addMembers(to json: inout JSONValue) {
        json["init_input"] = .string(input.rawValue)
        json["init_head"] = .string(head.rawValue)
        json["init_norm"] = .string(norm.rawValue)
        json["init_spread"] = .double(spread)
        json["init_text"] = .strings(texts)
        json["seed"] = .integer(seed)
    }
}

extension RowInitialization: ExpressibleByArgument {}
extension RowNorm: ExpressibleByArgument {}
