import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import Checkpoints

struct AdapterFoldingTests {
    private let query = "model.layers.0.self_attn.q_proj.weight"

    /// Folds an adapter with these tensors (values count up by an eighth) into the small checkpoint.
    private func folded(
        tied: Bool = false, storesHead: Bool? = nil, shardSize: Int = .max, keys: [String: JSONValue] = [:],
        targets: [String] = ["q_proj"], saved: [String] = [], _ tensors: [TensorPlan],
        _ body: (_ base: Checkpoint, _ adapter: Adapter, _ result: Checkpoint) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            var config = smallConfig
            config["tie_word_embeddings"] = .bool(tied)
            for (key, value) in keys { config[key] = value }
            let plans = smallPlans.filter { storesHead ?? !tied || $0.name != TensorNames.head }
            var writer = try CheckpointWriter(
                directory + "/base", tensors: plans, maximumShardSize: shardSize, replacing: false)
            for plan in writer.tensors { try writer.write(plan.type.bytes(numbers(plan))) }
            try writer.finish(config: config)
            let adapterConfig = AdapterConfig(
                baseModel: nil, rank: 2, alpha: 8, dropout: 0, targetModules: targets, modulesToSave: saved)
            try writeAdapter(to: directory + "/adapter", config: adapterConfig, tensors: tensors, replacing: false) {
                let bytes =
                    $0.type.isFloatingPoint
                    ? $0.type.bytes(numbers(TensorPlan($0))) : [UInt8](repeating: 0, count: $0.byteCount)
                try bytes.withUnsafeBytes($1)
            }
            let base = try Checkpoint(directory: directory + "/base")
            let adapter = try Adapter(directory: directory + "/adapter")
            try AdapterFolding(base: base, adapter: adapter).write(to: directory + "/out", replacing: false)
            try body(base, adapter, try Checkpoint(directory: directory + "/out"))
        }
    }

    private func numbers(_ plan: TensorPlan) -> [Float] {
        (0..<plan.shape.reduce(1, *)).map { Float(($0 * 5 + plan.name.utf8.count) % 23) / 8 }
    }

    private var factors: [TensorPlan] {
        let names = Adapter.factorNames(of: query)
        return [
            TensorPlan(name: names.a, type: .float32, shape: [2, 4]),
            TensorPlan(name: names.b, type: .float32, shape: [4, 2]),
        ]
    }

    private func replacement(_ name: String, rows: Int = 6, type: TensorType = .float32) -> TensorPlan {
        TensorPlan(name: Adapter.replacementName(of: name), type: type, shape: [rows, 4])
    }

    /// Against the definition; these numbers are exact in `Float`.
    @Test(arguments: [Int.max, 1])
    func updatedMatrixIsBasePlusScaledProduct(_ shardSize: Int) throws {
        try folded(shardSize: shardSize, factors) { base, adapter, result in
            let (w, got) = (try base.floats(of: query), try result.floats(of: query))
            let (a, b) = (numbers(factors[0]), numbers(factors[1]))
            for row in 0..<4 {
                for column in 0..<4 {
                    let product = b[row * 2] * a[column] + b[row * 2 + 1] * a[4 + column]
                    #expect(got[row * 4 + column] == w[row * 4 + column] + 4 * product)
                }
            }
            for name in ["model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"] {
                let before = try base.withUnsafeBytes(of: name) { Array($0) }
                let after = try result.withUnsafeBytes(of: name) { Array($0) }
                #expect(before == after)
            }
            #expect(result.config.json == base.config.json)
        }
    }

    @Test(arguments: [TensorType.float32, .bfloat16])
    func replacementsTakeThePlaceInTheBasesType(_ type: TensorType) throws {
        try folded(factors + [replacement("lm_head.weight", type: type)]) { base, _, result in
            #expect(result["lm_head.weight"]?.type == .float32)
            let got = try result.floats(of: "lm_head.weight")
            #expect(got == numbers(replacement("lm_head.weight")))
        }
    }

    @Test func tieEndsWhereTheAdapterLeavesTwoTensors() throws {
        let names = ["model.embed_tokens.weight", "lm_head.weight"]
        try folded(tied: true, factors + names.map { replacement($0) }) { _, _, result in
            #expect(try result.config.tiesWordEmbeddings == false)
            let head = try result.floats(of: "lm_head.weight")
            #expect(head == numbers(replacement("lm_head.weight")))
        }
    }

    /// Only the embedding was trained: the head stays what it was, the base's embedding.
    @Test func tieEndsWhereOnlyTheEmbeddingIsReplaced() throws {
        try folded(tied: true, factors + [replacement("model.embed_tokens.weight")]) { base, _, result in
            #expect(try result.config.tiesWordEmbeddings == false)
            let (head, embedding) = (
                try result.floats(of: "lm_head.weight"), try base.floats(of: "model.embed_tokens.weight")
            )
            #expect(head == embedding)
        }
    }

    /// The factors are the head's alone: the embedding stays, and the head is no longer it.
    @Test(arguments: [false, true])
    func tieEndsWhereTheHeadAloneIsUpdated(storesHead: Bool) throws {
        let names = Adapter.factorNames(of: "lm_head.weight")
        let tensors = [
            TensorPlan(name: names.a, type: .float32, shape: [2, 4]),
            TensorPlan(name: names.b, type: .float32, shape: [6, 2]),
        ]
        try folded(tied: true, storesHead: storesHead, targets: ["lm_head"], tensors) { base, _, result in
            #expect(try result.config.tiesWordEmbeddings == false)
            let embedding = try base.floats(of: "model.embed_tokens.weight")
            #expect(try result.floats(of: "model.embed_tokens.weight") == embedding)
            let (got, a, b) = (try result.floats(of: "lm_head.weight"), numbers(tensors[0]), numbers(tensors[1]))
            for row in 0..<6 {
                for column in 0..<4 {
                    let product = b[row * 2] * a[column] + b[row * 2 + 1] * a[4 + column]
                    #expect(got[row * 4 + column] == embedding[row * 4 + column] + 4 * product)
                }
            }
        }
    }

    @Test func headThatATiedModelStoresBesidesIsNotLookedAt() throws {
        let embedding = [replacement("model.embed_tokens.weight")]
        try folded(tied: true, storesHead: true, factors + embedding) { base, _, result in
            let (head, old) = (
                try result.floats(of: "lm_head.weight"), try base.floats(of: "model.embed_tokens.weight")
            )
            #expect(head == old)
        }
    }

    @Test func tieStaysWhereTheAdapterLeavesItAlone() throws {
        try folded(tied: true, factors) { base, _, result in
            let isTied = try result.config.tiesWordEmbeddings
            #expect(isTied)
            #expect(result["lm_head.weight"] == nil)
        }
    }

    @Test func adapterOfAnotherVocabularyIsRefused() throws {
        let text = message {
            try folded(factors + [replacement("model.embed_tokens.weight", rows: 9)]) { _, _, _ in }
        }
        #expect(text.contains("has shape [9, 4]") && text.contains("kuoci resize"))
    }

    @Test func adapterOfAnotherModelIsRefused() throws {
        let names = Adapter.factorNames(of: "model.layers.7.self_attn.q_proj.weight")
        let absent = [
            TensorPlan(name: names.a, type: .float32, shape: [2, 4]),
            TensorPlan(name: names.b, type: .float32, shape: [4, 2]),
        ]
        #expect(message { try folded(absent) { _, _, _ in } }.contains("model.layers.7.self_attn.q_proj.weight"))
        var wide = factors
        wide[0].shape = [2, 5]
        #expect(message { try folded(wide) { _, _, _ in } }.contains("has shape [4, 5]"))
    }

    @Test(arguments: [false, true])
    func savedModulesThatTheFileLacksAreRefused(tied: Bool) {
        let both = ["embed_tokens", "lm_head"]
        let embedding = [replacement("model.embed_tokens.weight")]
        let without = message { try folded(tied: tied, saved: both, factors) { _, _, _ in } }
        #expect(without.contains("holds no \"") && without.contains("which modules_to_save names"))
        let half = message { try folded(tied: tied, saved: both, factors + embedding) { _, _, _ in } }
        #expect(half.contains("holds no \"lm_head.weight\", which modules_to_save names"))
        #expect(half.contains("save the adapter again"))
    }

    @Test func savedModulesThatTheModelLacksAreNotMissed() throws {
        let head = [replacement("lm_head.weight")]
        try folded(saved: ["lm_head", "score", "classifier"], factors + head) { _, adapter, _ in
            #expect(adapter.replacements.count == 1)
        }
    }

    @Test(arguments: [["q_proj", "lm_head"], ["model.embed_tokens", "q_proj"]])
    func targetsWithoutFactorsAreRefused(_ targets: [String]) {
        let text = message { try folded(targets: targets, factors) { _, _, _ in } }
        #expect(text.contains("holds no factors of \"") && text.contains("which target_modules names"))
    }

    @Test func targetsThatTheModelLacksOrThatAreReplacedAreNotMissed() throws {
        let head = [replacement("lm_head.weight")]
        try folded(targets: ["q_proj", "c_attn", "lm_head"], factors + head) { _, adapter, _ in
            #expect(adapter.updates.count == 1)
        }
    }

    @Test func baseOfAnotherFamilyIsRefused() {
        let text = message { try folded(keys: ["model_type": "qwen2"], factors) { _, _, _ in } }
        #expect(text.contains("\"model_type\" should be \"llama\" or \"mistral\", not \"qwen2\""))
    }

    @Test(arguments: [("hidden_size", 4096, "hidden_size 4096"), ("vocab_size", 7, "vocab_size is 7")])
    func configThatDisagreesWithTheEmbeddingIsRefused(_ key: String, _ value: Int, _ told: String) {
        let text = message { try folded(keys: [key: .integer(value)], factors) { _, _, _ in } }
        #expect(text.contains("/base/config.json: ") && text.contains(told))
        #expect(text.contains("model.embed_tokens.weight has shape [6, 4]"))
    }

    @Test func factorsThatAreNoFloatsAreRefusedWithTheirFile() {
        var integers = factors
        integers[0].type = .int32
        let text = message { try folded(integers) { _, _, _ in } }
        #expect(text.contains("adapter_model.safetensors: tensor ") && text.contains("is of type I32"))
    }
}
