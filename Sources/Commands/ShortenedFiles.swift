import FileIO
import Glibc

/// Lets a process that reads past the end of a mapped file, because another shortened it, say so and leave nothing
/// half-written.
func watchForShortenedFiles() {
    var action = sigaction()
    action.sa_flags = SA_SIGINFO
    action.__sigaction_handler.sa_sigaction = { number, information, _ in
        // Raised by the instruction that reads the mapping, so this thread holds no lock and is not inside malloc: what
        // other handlers must not do is safe here. A SIGBUS of any other origin ends the process as usual.
        guard let address = information?.pointee._sifields._sigfault.si_addr,
            let path = MappedRanges.path(at: UInt(bitPattern: address))
        else {
            signal(number, SIG_DFL)
            return
        }
        TemporaryPaths.deleteAll()
        printDiagnostic("kuoci: \(FileError.changed(path: path))")
        _exit(1)
    }
    sigaction(SIGBUS, &action, nil)
}
