import FileIO
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import Checkpoints

/// What `verify` sees: every difference, and no other.
struct CheckpointComparisonTests {
    /// Writes the small checkpoint with changes.
    private func write(
        _ directory: String, shardSize: Int = .max, plans: [TensorPlan] = smallPlans, config: JSONValue = smallConfig,
        change: (String, inout [UInt8]) throws -> Void = { _, _ in }
    ) throws -> Checkpoint {
        var writer = try CheckpointWriter(directory, tensors: plans, maximumShardSize: shardSize, replacing: false)
        for tensor in writer.tensors {
            var bytes = try content(of: tensor)
            try change(tensor.name, &bytes)
            try writer.write(bytes)
        }
        try writer.finish(config: config)
        return try Checkpoint(directory: directory)
    }

    @Test func filesAndTheOrderOfKeysMeanNothing() throws {
        try withTemporaryDirectory { directory in
            let config: JSONValue = [
                "vocab_size": 6, "hidden_size": .number("4.0"), "zeta": ["nested": [.number("1.0"), 2.5]],
                "model_type": "llama", "tie_word_embeddings": false, "rms_norm_eps": .number("0.00001"),
            ]
            let comparison = try CheckpointComparison(
                try write(directory + "/a"), try write(directory + "/b", shardSize: 1, config: config))
            #expect(comparison.isSame)
            #expect(comparison.tensors.count == 4)
        }
    }

    @Test func changedRowsAreCountedAndMeasured() throws {
        try withTemporaryDirectory { directory in
            let old = try write(directory + "/a") { name, bytes in
                if name == "lm_head.weight" { bytes = [UInt8](repeating: 0, count: bytes.count) }
            }
            let new = try write(directory + "/b", shardSize: 1) { name, bytes in
                guard name == "lm_head.weight" else { return }
                // Rows 2 and 5 of 6: 0.5 and -2 in place of 0; row 3 has a negative zero, other bits of an equal number.
                var values = [Float](repeating: 0, count: 24)
                values[2 * 4 + 1] = 0.5
                values[3 * 4] = -0.0
                values[5 * 4 + 3] = -2
                bytes = TensorType.float32.bytes(values)
            }
            let comparison = try CheckpointComparison(old, new)
            let change = try #require(comparison.changed.first)
            #expect(comparison.changed.count == 1 && change.name == "lm_head.weight")
            #expect((change.comparedRows, change.differentRows) == (6, 3))
            #expect(change.firstDifference == .init(old: 2, new: 2))
            #expect(change.largestDifference == 2)
            // Only rows that were asked for: 0, 1 and 4.
            let runs = [RowRun(old: 0..<2, new: 0), RowRun(old: 4..<5, new: 4)]
            #expect(try CheckpointComparison(old, new, keptRows: runs).isSame)
            // 4 is not where 5 is.
            let moved = try CheckpointComparison(old, new, keptRows: [RowRun(old: 4..<5, new: 5)])
            #expect(moved.changed.contains { $0.firstDifference == .init(old: 4, new: 5) })
            // Rows that are not there are not the same.
            #expect(try !CheckpointComparison(old, new, keptRows: [RowRun(old: 0..<7, new: 0)]).isSame)
        }
    }

    @Test func nanIsNoNumberButTheSameBitsAreTheSame() throws {
        try withTemporaryDirectory { directory in
            let isNaN: (String, inout [UInt8]) -> Void = { name, bytes in
                if name == "lm_head.weight" { bytes.replaceSubrange(0..<4, with: TensorType.float32.bytes([.nan])) }
            }
            let (one, other) = (try write(directory + "/a", change: isNaN), try write(directory + "/b", change: isNaN))
            #expect(try CheckpointComparison(one, other).isSame)
            let comparison = try CheckpointComparison(one, try write(directory + "/c"))
            #expect(comparison.changed.first?.largestDifference?.isNaN == true)
        }
    }

    /// Tensors of equal types and widths that have no row in common, or none at all.
    @Test func tensorsWithoutRows() throws {
        func plan(_ name: String, _ type: TensorType, _ shape: [Int]) -> TensorPlan {
            TensorPlan(name: name, type: type, shape: shape)
        }
        let pairs: [(old: TensorPlan, new: TensorPlan, compared: Int?)] = [
            (plan("a", .float32, [3, 4]), plan("a", .float32, [0, 4]), 0),
            (plan("b", .float32, [4]), plan("b", .float32, [0]), 0),
            (plan("c", .float32, [0, 4]), plan("c", .float32, [3, 4]), 0),
            // Half bytes: the rows of each tensor are compared as one.
            (plan("d", .float4, [4, 1]), plan("d", .float4, [2, 1]), nil),
            (plan("e", .float32, [0, 4]), plan("e", .float32, [0, 4]), 0),
            (plan("f", .float32, [3, 0]), plan("f", .float32, [5, 0]), 3),
        ]
        try withTemporaryDirectory { directory in
            let comparison = try CheckpointComparison(
                try write(directory + "/a", plans: pairs.map(\.old)),
                try write(directory + "/b", plans: pairs.map(\.new)))
            #expect(comparison.tensors.map(\.comparedRows) == pairs.map(\.compared))
            #expect(comparison.changed.map(\.name) == ["a", "b", "c", "d", "f"])
            #expect(comparison.tensors.allSatisfy { $0.differentRows == 0 })
        }
    }

    /// Of a run that goes beyond the new tensor, the rows that are there are compared and the others differ.
    @Test func expectedRowsThatAreNotThere() throws {
        try withTemporaryDirectory { directory in
            var plans = smallPlans
            plans[0].shape = [0, 4]
            plans[3].shape = [4, 4]
            let (old, new) = (try write(directory + "/a"), try write(directory + "/b", plans: plans))
            let comparison = try CheckpointComparison(old, new, keptRows: [RowRun(old: 0..<6, new: 0)])
            #expect(comparison.changed.map(\.name) == ["lm_head.weight", "model.embed_tokens.weight"])
            #expect(comparison.changed.map(\.comparedRows) == [6, 6])
            #expect(comparison.changed.map(\.differentRows) == [2, 6])
            #expect(comparison.changed.map(\.firstDifference) == [.init(old: 4, new: 4), .init(old: 0, new: 0)])
        }
    }

    @Test func shapesTypesNamesAndKeys() throws {
        try withTemporaryDirectory { directory in
            var plans = smallPlans
            plans[0].shape = [7, 4]
            plans[1].shape = [8, 2]
            plans[2].type = .float32
            plans[3].name = "other.weight"
            var config = smallConfig
            config["vocab_size"] = 7
            config["new"] = true
            config["zeta"] = nil
            let (old, new) = (try write(directory + "/a"), try write(directory + "/b", plans: plans, config: config))
            let comparison = try CheckpointComparison(old, new)
            #expect(comparison.changed.map(\.name) == smallPlans.prefix(3).map(\.name))
            #expect(comparison.changed.map(\.comparedRows) == [6, nil, nil])
            #expect(comparison.changed[0].differentRows == 0)
            #expect((comparison.added, comparison.missing) == (["other.weight"], ["lm_head.weight"]))
            #expect(comparison.config.map(\.key) == ["new", "vocab_size", "zeta"])
            #expect(comparison.config[1] == .init(key: "vocab_size", expected: 6, found: 7))
        }
    }
}
