/// How far a long piece of work has come; libraries hand it to a callback, commands draw it.
public struct ProgressUpdate: Sendable {
    /// What is being done, as a short phrase: "learning merges".
    public var stage: String
    public var completed: Int
    /// Nil if it cannot be known.
    public var total: Int?
    /// A short remark for the same line, such as "loss 2.31".
    public var note: String?
    /// Where the sender knows better than `completed` and the time it took so far can tell.
    public var secondsLeft: Double?

    public init(
        stage: String, completed: Int, total: Int? = nil, note: String? = nil, secondsLeft: Double? = nil
    ) {
        self.stage = stage
        self.completed = completed
        self.total = total
        self.note = note
        self.secondsLeft = secondsLeft
    }
}

public typealias ProgressHandler = @Sendable (ProgressUpdate) -> Void
