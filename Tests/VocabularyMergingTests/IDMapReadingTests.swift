import FileIO
import OrderedJSON
import TestSupport
import Testing

@testable import VocabularyMerging

/// An id map is read back as it was written, and nothing unsound is taken.
struct IDMapReadingTests {
    private func read(_ text: String) throws -> IDMap {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/id-map.json", text.utf8)
            return try IDMap(contentsOf: directory + "/id-map.json")
        }
    }

    @Test func `what was written is read`() throws {
        let map = IDMap(newEntries: 4, newIDs: [0, nil, 3, 1])
        let again = try read(map.json.text(.line))
        #expect(again == map)
    }

    @Test(arguments: [
        ("", "is not valid JSON"), ("[]", "new_entries is not"), (#"{"new_entries": 0}"#, "new_entries is not"),
        (#"{"new_entries": 99999999999, "new_ids": [0]}"#, "new_entries is not"),
        (#"{"new_entries": 2, "old_entries": 0, "new_ids": []}"#, "new_ids is not"),
        (#"{"new_entries": 2, "old_entries": 3, "new_ids": [0, 1]}"#, "old_entries is not"),
        (#"{"new_entries": 2, "old_entries": 2, "new_ids": [0, 2]}"#, "old entry 1 has no new id from 0 to 1"),
        (#"{"new_entries": 2, "old_entries": 2, "new_ids": [-1, 1]}"#, "old entry 0 has no new id"),
        (#"{"new_entries": 2, "old_entries": 2, "new_ids": [0.5, 1]}"#, "old entry 0 has no new id"),
        (#"{"new_entries": 2, "old_entries": 2, "new_ids": [1, 1]}"#, "new id 1 is given twice"),
    ])
    func `unsound maps are refused in one line`(_ text: String, _ reason: String) {
        let error = #expect(throws: IDMapError.self) { try read(text) }
        #expect(error?.description.contains(reason) == true, "\(error as Any)")
        #expect(error?.description.contains("\n") == false)
    }
}
