import Dispatch
import FileIO
import Foundation

/// The signal that asked for an end; 0: none yet. A handler may do little more than write this.
private nonisolated(unsafe) var arrived: sig_atomic_t = 0

/// What the program does when it is interrupted (SIGINT), terminated (SIGTERM) or loses its terminal (SIGHUP).
package enum Interruption {
    private nonisolated(unsafe) static var sources: [any DispatchSourceSignal] = []
    /// Whether the terminal's end ends the process.
    private nonisolated(unsafe) static var endsWithTerminal = false

    /// From here on such a signal removes what is half-written and then ends the process as usual.
    static func cleanUp() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // Under nohup, SIGHUP is ignored and stays so. Handlers are C functions, which compare as addresses.
            let before = unsafeBitCast(signal(number, SIG_IGN), to: UInt.self)
            if before == unsafeBitCast(SIG_IGN, to: UInt.self) { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                TemporaryPaths.deleteAll()
                endProcess(by: number)
            }
            source.resume()
            sources.append(source)
            if number == SIGHUP { endsWithTerminal = true }
        }
    }

    /// Lets a long command save its work: from here on the first signal is only remembered; a second one ends the process
    /// as usual.
    package static func watch() {
        for source in sources { source.cancel() }
        sources = []
        for number in [SIGINT, SIGTERM] + (endsWithTerminal ? [SIGHUP] : []) {
            signal(number) { number in
                arrived = number
                signal(number, SIG_DFL)
            }
        }
    }

    package static var hasArrived: Bool { arrived != 0 }

    /// 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP, as shells report them.
    package static var exitCode: Int32 { 128 + arrived }
}

/// Ends the process as the signal does that nobody handles.
private func endProcess(by number: Int32) {
    signal(number, SIG_DFL)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, number)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    // To this thread: sent to the process, it might come back to the dispatch source.
    raise(number)
}
