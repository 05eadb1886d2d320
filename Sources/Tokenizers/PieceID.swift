/// The number of a piece in a vocabulary, counted from zero.
public struct PieceID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    public init(_ value: Int) {
        rawValue = Int32(value)
    }

    public static func < (left: PieceID, right: PieceID) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension PieceID: ExpressibleByIntegerLiteral, CustomStringConvertible {
    public init(integerLiteral value: Int32) {
        rawValue = value
    }

    public var description: String { String(rawValue) }
}
