import Checkpoints
import FileIO
import OrderedJSON
import Provenance
import TokenizerMetrics

extension ExtensionAdvice {
    var text: String {
        let parts = [[source, answer], table.isEmpty ? [] : [table], advised.map(gains) ?? [], commands]
        return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private var source: String {
        let taken = divided.takenTexts < divided.texts ? ", of which \(divided.takenTexts) were taken" : ""
        return
            "\(texts.joined(separator: ", ")): \(divided.texts) texts, \(byteText(divided.bytes))\(taken); pieces were "
            + "learned from nine tenths, and what they save was measured on the others"
    }

    private var answer: String {
        guard let advised else {
            let why =
                sizes.count < 2
                ? "the text gives no new piece with a character of \(scripts)" : "no size saves any computing"
            return "is extending it worth it? no: \(why)"
        }
        return "is extending it worth it? \(verdict.inWords): \(advised.rows) rows save "
            + "\(percent(advised.worth.saving, 1)) of the computing \(ExtensionWorth.rule)"
    }

    private var table: String {
        if sizes.count < 2 { return "" }
        let header = [
            "rows", "entries", "token/char", "tokens saved", "cost/token", "computing saved",
            "rows seen < \(Self.rarely) times",
        ]
        return alignedTable(
            [header]
                + sizes.map { size in
                    [
                        "\(size.rows)", "\(size.entries)", fixed(size.worth.tokensPerCharacterAfter, 4),
                        percent(size.worth.savedTokens, 1), fixed(size.worth.costPerToken, 4),
                        percent(size.worth.saving, 1),
                        size.rows == 0 ? "-" : "\(size.rareRows)",
                    ]
                })
    }

    private func gains(_ size: Size) -> [String] {
        let worth = size.worth
        let (before, after) = (worth.tokensPerCharacterBefore, worth.tokensPerCharacterAfter)
        let parameters = size.rows * cost.parametersPerEntry
        let share = Double(parameters) / Double(cost.parameters(entries: size.entries))
        var lines = [
            "with \(size.rows) rows more",
            "  reading     \(fixed(1 / before, 3)) characters a token become \(fixed(1 / after, 3))",
        ]
        if let context {
            lines.append(
                "  context     \(context) tokens hold \(fixed(Double(context) / before, 0)) characters, then "
                    + fixed(Double(context) / after, 0))
        }
        lines += [
            "  generation  \(fixed(before / (after * worth.costPerToken), 2)) times the characters a second",
            "  training    once over this text: \(operations(trainingOperations(sizes[0]))), then "
                + operations(trainingOperations(size)),
            "  costs       \(parameters) parameters (\(percent(share, 1)) of the model), "
                + "\(byteText(parameters * numberBytes)) in its files, \(byteText(cost.optimizerBytes(entries: size.rows))) "
                + "for AdamW while they train",
        ]
        if let study = StudyPayoff.shipped { lines.append(payoff(size, study)) }
        if 2 * size.rareRows > size.rows {
            lines.append(
                "  careful     \(size.rareRows) of these rows come less than \(Self.rarely) times in the text, and training will "
                    + "hardly move them: give more text, or add fewer")
        }
        return lines
    }

    /// When the study's model was ahead, and what that would be here.
    private func payoff(_ size: Size, _ study: StudyPayoff) -> String {
        let model = "the study's model of \(fixed(Double(study.parameters) / 1e6, 1)) million parameters"
        guard let paid = study.paidOff, let tokens = study.tokens(rows: size.rows) else {
            return
                "  pays off    not within the \(study.trained.tokens) tokens that \(model) was trained on after \(study.rows) "
                + "new rows: see docs/results.md"
        }
        let all = self.tokens(perCharacter: size.worth.tokensPerCharacterAfter)
        return
            "  pays off    \(model) was ahead after \(paid.tokens) tokens, \(fixed(Double(paid.tokens) / Double(study.rows), 1)) "
            + "for each of its \(study.rows) new rows; here that is \(fixed(tokens, 0)) tokens, \(fixed(tokens / all, 2)) times this text"
    }

    private func operations(_ count: Double) -> String {
        let units = [(1e18, "EFLOP"), (1e15, "PFLOP"), (1e12, "TFLOP"), (1e9, "GFLOP")]
        let (unit, name) = units.first { count >= $0.0 } ?? (1e6, "MFLOP")
        return "\(fixed(count / unit, 1)) \(name)"
    }

    /// What to run, from the text to the adapter.
    private var commands: [String] {
        guard let advised, verdict != .no else { return [] }
        let (model, base) = (quotedForShell(modelDirectory), quotedForShell(base))
        return [
            "to do it",
            "  kuoci train --base-model \(base) --input \(quotedForShell(texts.joined(separator: ","))) --new-pieces "
                + "\(learnedRows) --scripts \(quotedForShell(scripts)) --split-by-unicode-script false --model-prefix extended/pieces",
            "  kuoci merge --policy continued --base \(base) --add extended/pieces.model --scripts \(quotedForShell(scripts)) --size "
                + "\(advised.entries) --corpus \(texts.map(quotedForShell).joined(separator: " ")) --out extended/tokenizer",
            "  kuoci resize --model \(model) --tokenizer extended/tokenizer --out extended/model",
            "  kuoci pretrain --recipe kuoci --model extended/model --text \(texts.map(quotedForShell).joined(separator: " ")) "
                + "--epochs 1 --out extended/run",
        ]
    }

    var json: JSONValue {
        [
            "texts": .strings(texts), "bytes": .integer(divided.bytes), "taken_texts": .integer(divided.takenTexts),
            "measured_characters": .integer(measuredCharacters), "measured_bytes": .integer(measuredBytes),
            "verdict": .string(verdict.rawValue), "advised_rows": advised.map { .integer($0.rows) } ?? .null,
            "sizes": .array(sizes.map(json)),
            "commands": .strings(commands.dropFirst().map { String($0.drop { $0 == " " }) }),
        ]
    }

    private func json(_ size: Size) -> JSONValue {
        let parameters = size.rows * cost.parametersPerEntry
        let after = size.worth.tokensPerCharacterAfter
        var json: JSONValue = [
            "rows": .integer(size.rows), "entries": .integer(size.entries), "rare_rows": .integer(size.rareRows),
            "added_parameters": .integer(parameters), "added_bytes": .integer(parameters * numberBytes),
            "optimizer_bytes": .integer(cost.optimizerBytes(entries: size.rows)),
            "context_characters": context.map { .double(Double($0) / after) } ?? .null,
            "training_operations": .double(trainingOperations(size)),
            "tokens_until_it_pays": StudyPayoff.shipped?.tokens(rows: size.rows).map { .double($0) } ?? .null,
            "generation_speed": .double(size.worth.tokensPerCharacterBefore / (after * size.worth.costPerToken)),
        ]
        size.worth.addMembers(to: &json)
        return json
    }
}
