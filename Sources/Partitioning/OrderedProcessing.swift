import Dispatch
import Foundation

/// Fills blocks one after the other, transforms them on several threads, and drains them in the order of filling.
///
/// Memory holds no more than the given blocks, which are used again and again. `fill` and `drain` run on one thread at
/// a time each, and while one waits for input the others go on. `fill` says whether there was anything left to fill
/// with. What is drained does not depend on the number of threads: after an error the blocks before it are drained
/// still, and of several errors that of the earliest block is thrown.
public func processInOrder<Block: Sendable>(
    _ blocks: [Block], threads: Int, fill: @Sendable (Block) throws -> Bool,
    transform: @Sendable (Block) throws -> Void, drain: @Sendable (Block) throws -> Void
) throws {
    precondition(!blocks.isEmpty, "there must be a block to fill")
    let line = AssemblyLine(blocks)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, blocks.count))) { _ in
        while let (block, index) = line.take(fill) {
            let result = Result { try transform(block) }
            line.deliver(block, index, result, drain)
        }
    }
    try line.finish()
}

/// Where the blocks are: free, being filled, being transformed, done and waiting for their turn, being drained.
private final class AssemblyLine<Block: Sendable>: @unchecked Sendable {
    /// Guards everything below; signalled whenever something changes.
    private let condition = NSCondition()
    private var free: [Block]
    private var done: [Int: (block: Block, result: Result<Void, any Error>)] = [:]
    private var nextToFill = 0
    private var nextToDrain = 0
    private var isFilling = false
    private var isDraining = false
    private var hasEnded = false
    private var failure: (any Error)?

    init(_ blocks: [Block]) {
        free = blocks
    }

    /// The next block, filled; nil at the end.
    func take(_ fill: (Block) throws -> Bool) -> (Block, Int)? {
        condition.lock()
        defer { condition.unlock() }
        while isFilling || free.isEmpty, !hasEnded { condition.wait() }
        guard !hasEnded, let block = free.popLast() else { return nil }
        isFilling = true
        condition.unlock()
        let result = Result { try fill(block) }
        condition.lock()
        isFilling = false
        condition.broadcast()
        let index = nextToFill
        switch result {
        case .success(true):
            nextToFill += 1
            return (block, index)
        case .success(false): break
        case .failure(let error): done[index] = (block, .failure(error))
        }
        hasEnded = true
        return nil
    }

    /// Takes a transformed block back and drains all whose turn has come.
    func deliver(_ block: Block, _ index: Int, _ result: Result<Void, any Error>, _ drain: (Block) throws -> Void) {
        condition.lock()
        defer { condition.unlock() }
        done[index] = (block, result)
        if isDraining { return }
        isDraining = true
        while let (block, result) = done.removeValue(forKey: nextToDrain) {
            condition.unlock()
            let outcome = result.flatMap { _ in Result { try drain(block) } }
            condition.lock()
            if case .failure(let error) = outcome, failure == nil {
                failure = error
                hasEnded = true
            }
            if failure != nil { break }
            nextToDrain += 1
            free.append(block)
            condition.broadcast()
        }
        isDraining = false
        condition.broadcast()
    }

    /// - Throws: the error of the earliest block, if there was one.
    func finish() throws {
        if let failure { throw failure }
        // What stopped the filling comes after all that was filled.
        if let (_, result) = done[nextToDrain] { try result.get() }
    }
}
