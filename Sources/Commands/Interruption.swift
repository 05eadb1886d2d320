import Foundation

/// The signal that asked for an end; 0: none yet. A handler may do little more than write this.
private nonisolated(unsafe) var arrived: sig_atomic_t = 0

/// Lets a long command save its work when it is interrupted (SIGINT) or terminated (SIGTERM).
package enum Interruption {
    /// From here on the first signal is only remembered; a second one ends the process as usual.
    package static func watch() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                arrived = number
                signal(number, SIG_DFL)
            }
        }
    }

    package static var hasArrived: Bool { arrived != 0 }

    /// 130 after SIGINT, 143 after SIGTERM, as shells report them.
    package static var exitCode: Int32 { 128 + arrived }
}
