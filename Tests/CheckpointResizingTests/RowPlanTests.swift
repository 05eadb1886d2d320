import Checkpoints
import FileIO
import OrderedJSON
import TestSupport
import Testing
import VocabularyMerging

@testable import CheckpointResizing

/// Where rows go, beside a slow and obvious assignment.
struct RowPlanTests {
    /// For each new row the old one that it takes, or nil.
    private func sources(_ plan: RowPlan) -> [Int?] {
        var result = [Int?](repeating: nil, count: plan.newRows)
        for run in plan.kept {
            for (old, new) in zip(run.old, run.newRows) {
                #expect(result[new] == nil)
                result[new] = old
            }
        }
        let empty = Set(result.indices.filter { result[$0] == nil })
        #expect(plan.fresh.flatMap { Array($0) } == empty.sorted())
        #expect(plan.fresh.count == empty.filter { !empty.contains($0 - 1) }.count)
        return result
    }

    @Test(arguments: 1...5, 1...5)
    func entriesAreAppended(_ oldRows: Int, _ oldEntries: Int) throws {
        for entries in oldEntries...8 {
            for multiple in 1...4 {
                let plan = try RowPlan(oldRows: oldRows, oldEntries: oldEntries, entries: entries, multiple: multiple)
                #expect(plan.newRows % multiple == 0 && plan.newRows - entries < multiple && plan.newRows >= entries)
                let expected = (0..<plan.newRows).map { row -> Int? in
                    // An entry that was there, or padding that was padding.
                    let isKept = row < oldRows && (row < oldEntries || row >= entries)
                    return isKept ? row : nil
                }
                #expect(sources(plan) == expected)
                let reused = (0..<oldRows).filter { $0 >= oldEntries && $0 < entries }.count
                #expect(plan.reusedPadding == reused)
                #expect(plan.droppedRows == (0..<oldRows).filter { $0 >= plan.newRows }.count)
                #expect(plan.padding == plan.newRows - entries)
                let firstFresh = (0..<entries).first { expected[$0] == nil }
                #expect(plan.firstFreshRow == firstFresh)
            }
        }
    }

    @Test func aMapMovesRows() throws {
        let map = try idMap(#"{"old_entries":6,"new_entries":5,"new_ids":[0,1,null,2,null,4]}"#)
        let plan = try RowPlan(oldRows: 6, map: map, multiple: 4)
        #expect(sources(plan) == [0, 1, 3, nil, 5, nil, nil, nil])
        #expect(plan.kept.count == 3)
        #expect((plan.droppedRows, plan.freshRows, plan.padding) == (2, 4, 3))
        #expect(plan.firstFreshRow == nil)
    }

    @Test func tokensAddedToAMapStartAnew() throws {
        let map = try idMap(#"{"old_entries":4,"new_entries":4,"new_ids":[0,null,2,1]}"#)
        let plan = try RowPlan(oldRows: 4, map: map, addedEntries: 2, multiple: 4)
        #expect(sources(plan) == [0, 3, 2, nil, nil, nil, nil, nil])
        #expect((plan.entries, plan.padding) == (6, 2))
    }

    /// What is planned takes memory for entries, not for padding.
    @Test func paddingOfAMapIsOneRange() throws {
        let map = try idMap(#"{"old_entries":4,"new_entries":4,"new_ids":[0,null,2,1]}"#)
        let plan = try RowPlan(oldRows: 4, map: map, multiple: 1 << 24)
        #expect(plan.fresh == [3..<1 << 24])
        #expect(throws: ResizingError.tooManyRows(entries: 4, multiple: 400_000_000)) {
            try RowPlan(oldRows: 4, map: map, multiple: 400_000_000)
        }
    }

    @Test func tooManyRowsAreRefused() {
        #expect(throws: ResizingError.tooManyRows(entries: 7, multiple: .max)) {
            try RowPlan(oldRows: 5, oldEntries: 5, entries: 7, multiple: .max)
        }
    }

    @Test func idsOfAConfigFollowTheMap() throws {
        let map = try idMap(#"{"old_entries":4,"new_entries":3,"new_ids":[0,null,2,1]}"#)
        let config = try JSONValue(
            parsing: """
                {"bos_token_id": 2, "eos_token_id": [3, 0], "pad_token_id": -1, "hidden_size": 3, "x_token_id": null,
                "bad_words_ids": [[3], [2, 0]]}
                """)
        let mapped = try mappingTokenIDs(config, by: map, path: "c")
        #expect(
            mapped.text(.line)
                == #"{"bos_token_id":2,"eos_token_id":[1,0],"pad_token_id":-1,"hidden_size":3,"x_token_id":null,"#
                + #""bad_words_ids":[[1],[2,0]]}"#)
        for id in [1, 4] {
            #expect(throws: ResizingError.droppedID(path: "c", key: "eos_token_id", id: id)) {
                try mappingTokenIDs(["eos_token_id": .integer(id)], by: map, path: "c")
            }
        }
    }

    private func idMap(_ text: String) throws -> IDMap {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/id-map.json", text.utf8)
            return try IDMap(contentsOf: directory + "/id-map.json")
        }
    }
}
