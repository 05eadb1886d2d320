import TestSupport
import Testing

@testable import OrderedJSON

struct NameTableTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a table finds what a dictionary finds`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var table = NameTable()
        var reference: [String: Int] = [:]
        var order: [String] = []
        let letters = ["a", "b", "é", "e\u{301}", "中", "\u{212A}", "K", ""]
        for _ in 0..<Int.random(in: 0...3000, using: &generator) {
            let name = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                letters.randomElement(using: &generator) ?? ""
            }.joined()
            #expect(table.number(of: name) == reference[name])
            let isAdded = table.append(name)
            #expect(isAdded == (reference[name] == nil))
            if reference.updateValue(reference[name] ?? order.count, forKey: name) == nil { order.append(name) }
        }
        #expect(table.count == order.count)
        // Spelled as they came first.
        for (number, name) in order.enumerated() { #expect(Array(table[number].utf8) == Array(name.utf8)) }
        for (name, number) in reference { #expect(table.number(of: name) == number) }
    }

    @Test func `canonically equivalent names are one`() {
        var table = NameTable()
        let names = ["e\u{301}", "K", "\u{E9}", "\u{212A}", "e"]
        #expect(names.map { table.append($0) } == [true, true, false, false, true])
        #expect(names.map { table.numberAppending($0) } == [0, 1, 0, 1, 2])
    }

    @Test(arguments: [3, 8, 9, 1000])
    func `an emptied table has none of its names`(count: Int) {
        var table = NameTable()
        for number in 0..<count { _ = table.append("n\(number)") }
        #expect(table.count == count)
        table.removeAll()
        #expect(table.isEmpty && table.number(of: "n0") == nil)
        #expect(table.numberAppending("n1") == 0 && table[0] == "n1" && table.number(of: "n1") == 0)
    }
}
