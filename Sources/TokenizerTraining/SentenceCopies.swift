/// How often each sentence of a range of the text is to be counted.
struct SentenceCopies: Sendable {
    /// Where each sentence begins in the text's symbols.
    let starts: [Int32]
    let copies: [Int64]

    /// The copies of the sentence that holds a position.
    func count(at position: Int32) -> Int64 { copies[sentence(at: position)] }

    /// Where the sentence that holds a position begins.
    func start(at position: Int32) -> Int32 { starts[sentence(at: position)] }

    private func sentence(at position: Int32) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= position { low = middle } else { high = middle }
        }
        return low
    }
}
