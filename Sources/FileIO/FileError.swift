/// What went wrong with a file, as facts.
public enum FileError: Error, Equatable {
    case missing(path: String)
    case notAFile(path: String)
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    case alreadyExists(path: String)
    /// A path that ends in no name for a new entry, such as `..`.
    case noName(path: String)
    /// An output whose replacing would delete an input.
    case holdsInput(path: String, input: String)
    /// What an output would replace, and no output wrote: it has no file `mark`.
    case notAnOutput(path: String, mark: String)
    /// Another process is writing it.
    case busy(path: String)
    /// It is no longer the file that was opened.
    case changed(path: String)
    /// Too few bytes are free on the file system where `path` is to be.
    case noSpace(path: String, needed: Int, free: Int)
    /// A compressed file that ends early or fails its check.
    case damaged(path: String, offset: Int, reason: String)
}

extension FileError {
    /// Whether the file was read and what it holds is wrong, as with a `BadDataError`.
    public var isAboutContent: Bool {
        if case .damaged = self { true } else { false }
    }
}

extension FileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let path): "\(path): no such file; check the path"
        case .notAFile(let path): "\(path): is a directory where a file is needed; name a file in it"
        case .unreadable(let path, let reason): "\(path): cannot be read (\(reason)); check its permissions"
        case .unwritable(let path, let reason): "\(path): cannot be written (\(reason)); check the disk and permissions"
        case .alreadyExists(let path): "\(path): already exists; choose another name, or replace it with --force"
        case .noName(let path): "\(path): cannot be written, for want of a name; give the output a name of its own"
        case .holdsInput(let path, let input):
            "\(path): holds the input \(input), which replacing it would delete; choose another name for the output"
        case .notAnOutput(let path, let mark):
            "\(path): has no \(mark), so it is nothing that Kuoci wrote and --force does not delete it; choose another name,"
                + " or remove it yourself"
        case .busy(let path): "\(path): another process is writing it; wait for its end, or choose another name"
        case .changed(let path): "\(path): was changed while it was read; leave it alone and run again"
        case .noSpace(let path, let needed, let free):
            "\(path): needs \(byteText(needed)) of disk, but \(byteText(free)) are free there; make room, or write elsewhere"
        case .damaged(let path, let offset, let reason):
            "\(path): damaged near compressed byte \(offset) (\(reason)); fetch or write it again"
        }
    }
}

/// An error that lies in what a file holds: the process ends with exit code 65.
public protocol BadDataError: Error, CustomStringConvertible {}
