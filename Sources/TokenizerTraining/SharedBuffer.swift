/// Memory that several threads write to, each to a part of its own.
final class SharedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let count: Int
    let pointer: UnsafeMutablePointer<Element>

    /// Memory whose content is not set.
    init(count: Int) {
        self.count = count
        pointer = .allocate(capacity: max(1, count))
    }

    convenience init(repeating value: Element, count: Int) {
        self.init(count: count)
        pointer.initialize(repeating: value, count: count)
    }

    deinit { pointer.deallocate() }

    @inline(__always)
    subscript(index: Int) -> Element {
        get { pointer[index] }
        set { pointer[index] = newValue }
    }
}
