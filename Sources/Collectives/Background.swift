internal import Dispatch
internal import Synchronization

/// Work that goes on beside the calling thread, one piece after another, until one fails: the rest is left undone.
final class Background: Sendable {
    typealias Work = @Sendable () throws(CollectivesError) -> Void

    /// nil where the caller has to do the work itself.
    private let queue: DispatchQueue?
    private let state = Mutex(State())

    private struct State {
        var failure: CollectivesError?
        var isCancelled = false
    }

    init(isThread: Bool) {
        queue = isThread ? DispatchQueue(label: "collectives") : nil
    }

    /// - Parameter waits: Whether the caller does the work itself, after what was started before.
    func start(waits: Bool, _ work: @escaping Work) {
        guard let queue else { return perform(work) }
        if waits { queue.sync { perform(work) } } else { queue.async { self.perform(work) } }
    }

    private func perform(_ work: Work) {
        if state.withLock({ $0.isCancelled || $0.failure != nil }) { return }
        do {
            try work()
        } catch {
            state.withLock { $0.failure = error }
        }
    }

    /// Leaves undone what has not been begun.
    func cancel() {
        state.withLock { $0.isCancelled = true }
    }

    /// Waits for the work; throws what a piece of it threw.
    func finish() throws(CollectivesError) {
        queue?.sync {}
        let failure = state.withLock { state in
            defer { state = State() }
            return state.failure
        }
        if let failure { throw failure }
    }
}
