import PieceModel
import Testing

@testable import VocabularyMerging

struct ContinuedMergeTests {
    private let base: [(String, Float)] = [("中", 0), ("国", -1), ("中国", -2)]

    @Test func `a vocabulary that goes on from the base passes`() throws {
        try bpeModel(base + [("国中", -3), ("中国中", -4)]).checkContinues(bpeModel(base))
    }

    @Test func `one of another base, none, and one of other scores are refused`() {
        let model = bpeModel(base, path: "base.model")
        #expect(
            throws: MergeError.doesNotContinue(
                path: "test.model", base: "base.model", id: 2, piece: "国", found: "人")
        ) { try bpeModel([("中", 0), ("人", -1), ("中国", -2), ("国中", -3)]).checkContinues(model) }
        #expect(
            throws: MergeError.doesNotContinue(
                path: "test.model", base: "base.model", id: 3, piece: "中国", found: nil)
        ) { try bpeModel(Array(base.dropLast())).checkContinues(model) }
        #expect(throws: MergeError.nothingContinued(path: "test.model", base: "base.model")) {
            try bpeModel(base).checkContinues(model)
        }
        #expect(throws: MergeError.notLearned(path: "test.model", id: 4, piece: "国中")) {
            try bpeModel(base + [("国中", -2)]).checkContinues(model)
        }
    }
}
