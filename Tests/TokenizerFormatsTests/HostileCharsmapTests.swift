import Foundation
import PieceModel
import TestSupport
import Testing
import Tokenizers

/// A model whose normalizer has this table.
private func tokenizer(_ charsmap: [UInt8]) throws -> Tokenizer {
    var model = try byteFallbackModel()
    model.proto.normalizerSpec.precompiledCharsmap = Data(charsmap)
    return try Tokenizer(model)
}

private func table(size: UInt32, units: [UInt32], targets: [UInt8]) -> [UInt8] {
    let numbers = [size] + units
    return numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } } + targets
}

private let wildTries: [[UInt32]] = {
    let labels = Array(UInt32(0)..<256)
    let leafAndOffset: UInt32 = 1 << 8 | 0x3FF << 10
    let leafAndWideOffset: UInt32 = 1 << 8 | 1 << 9 | 0x1F_FFFF << 10
    return [
        Array(repeating: UInt32.max, count: 256), Array(repeating: 0x7FFF_FFFF, count: 256),
        labels.map { $0 | leafAndOffset }, labels.map { $0 | leafAndWideOffset }, labels.map { $0 | 1 << 8 },
    ]
}()

@Suite struct HostileCharsmapTests {
    @Test(arguments: [
        [1, 2, 3], table(size: 0, units: [], targets: [0]),
        table(size: 1000, units: Array(repeating: 0, count: 250), targets: [0]),
        table(size: .max, units: Array(repeating: 0, count: 256), targets: [0]),
        table(size: 1024, units: Array(repeating: 0, count: 100), targets: [0]),
        table(size: 1024, units: Array(repeating: 0, count: 256), targets: [0x61]),
    ])
    func `a table that cannot be one is refused`(_ charsmap: [UInt8]) throws {
        let error = #expect(throws: PieceModelError.self) { _ = try tokenizer(charsmap) }
        #expect(error?.description.contains("small.model: the normalizer's precompiled_charsmap is broken (") == true)
    }

    /// Root, children and leaves out of range: every step must stay inside the array.
    @Test(arguments: wildTries)
    func `a trie that points anywhere is harmless`(_ units: [UInt32]) throws {
        // As a table it may be refused or used: it must not trap.
        guard let tokenizer = try? tokenizer(table(size: 1024, units: units, targets: [0x78, 0])) else { return }
        let ids = tokenizer.encode("abc 中 \u{FFFD}é")
        _ = try tokenizer.decode(ids)
    }

    @Test func `random tries are harmless`() throws {
        var generator = SeededGenerator(seed: 20_240_603)
        for _ in 0..<40 {
            let units = (0..<256).map { _ in UInt32.random(in: 0...UInt32.max, using: &generator) }
            let targets = (0..<20).map { _ in UInt8.random(in: 0...255, using: &generator) } + [0]
            guard let tokenizer = try? tokenizer(table(size: 1024, units: units, targets: targets)) else { continue }
            let text = (0..<30).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let ids = text.withUnsafeBytes { tokenizer.encode(utf8: $0) }
            _ = try tokenizer.decode(ids)
        }
    }
}
