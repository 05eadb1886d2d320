import Collectives
import FileIO
import Foundation
import TestSupport
import Testing

@testable import collectives_process

/// mpirun, or nil where there is none.
private let launcher = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { $0 + "/mpirun" }
    .first { FileManager.default.isExecutableFile(atPath: String($0)) }.map { String($0) }

/// Runs one scenario by several processes; gives mpirun's exit code and what each process ended with.
private func run(_ scenario: Scenario, count: Int) throws -> (code: Int32, results: [[UInt8]]) {
    let own = try #require(Bundle.main.executableURL)
    let program = own.deletingLastPathComponent().appendingPathComponent("collectives-process").path
    try #require(FileManager.default.fileExists(atPath: program), "not built: swift build --build-tests")
    return try withTemporaryDirectory { directory in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(launcher))
        process.arguments = ["-np", "\(count)", program, scenario.rawValue, directory]
        // Open MPI, which by itself takes neither root nor more processes than processors; MPICH passes these by.
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                "OMPI_MCA_rmaps_base_oversubscribe": "1",
            ], uniquingKeysWith: { _, new in new })
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        // A process that mpirun ended had nothing to say any more.
        let results = (0..<count).map { (try? readFile(directory + "/\($0)")) ?? Array("nothing".utf8) }
        return (process.terminationStatus, results)
    }
}

/// The sums of all processes' numbers, in the order of ranks, one addition after another.
private func sums(size: Int, count: Int) -> [Float] {
    let all = (0..<count).map { Scenario.values(rank: $0, size: size) }
    return (0..<size).map { place in (1..<count).reduce(all[0][place]) { $0 + all[$1][place] } }
}

private func bytes<Number: BitwiseCopyable>(_ numbers: [Number]) -> [UInt8] { numbers.withUnsafeBytes { Array($0) } }

@Suite(
    .serialized,
    .enabled(if: launcher != nil, "there is no mpirun (Debian: openmpi-bin, libopenmpi-dev): nothing was tested"))
struct CollectivesTests {
    @Test(arguments: [2, 3])
    func theOrderOfAdditionsShowsInTheseNumbers(count: Int) {
        let size = 1000
        let all = (0..<count).map { Scenario.values(rank: $0, size: size) }
        let backwards = (0..<size).map { place in
            (0..<count - 1).reversed().reduce(all[count - 1][place]) { $0 + all[$1][place] }
        }
        #expect((sums(size: size, count: count) == backwards) == (count == 2))
    }

    @Test(arguments: [Scenario.sums, .shares], [2, 3])
    func sumsHaveTheBitsOfTheOrderOfRanks(scenario: Scenario, count: Int) throws {
        let (code, results) = try run(scenario, count: count)
        let expected = bytes(Scenario.sizes.flatMap { sums(size: $0, count: count) })
        #expect(code == 0)
        for (rank, result) in results.enumerated() { #expect(result == expected, "process \(rank)") }
    }

    @Test func theLeaderGetsEveryShare() throws {
        let (code, results) = try run(.collected, count: 3)
        let expected = Scenario.sizes.flatMap { size in
            let cuts = Scenario.cuts(of: size, count: 3)
            return (0..<3).flatMap { Scenario.values(rank: $0, size: size)[cuts[$0]..<cuts[$0 + 1]] }
        }
        #expect(code == 0)
        #expect(results[0] == bytes(expected))
    }

    @Test func shortSumsAndTheLeadersBytesReachAll() throws {
        let (code, results) = try run(.messages, count: 3)
        let all = (0..<3).map { Scenario.values(rank: $0, size: 1000).map { Double($0) } }
        let sums = (0..<1000).map { all[0][$0] + all[1][$0] + all[2][$0] }
        #expect(code == 0)
        for result in results { #expect(result == bytes(sums) + Scenario.message) }
    }

    @Test(arguments: [Scenario.failure, .failureAndStop], [2, 3])
    func whatOneThrowsEndsAll(scenario: Scenario, count: Int) throws {
        let (code, results) = try run(scenario, count: count)
        #expect(code == 7)
        #expect(results[count - 1] == Array("planned".utf8))
        for result in results.dropLast() {
            #expect(String(decoding: result, as: UTF8.self) == "\(CollectivesError.ended(rank: count - 1))")
        }
    }

    @Test(arguments: [2, 3])
    func afterAStopAllGoOnTogether(count: Int) throws {
        let (code, results) = try run(.stop, count: count)
        #expect(code == 0)
        for (rank, result) in results.enumerated() {
            let own = Scenario.sizes.flatMap { Scenario.values(rank: rank, size: $0) }
            #expect(result == bytes([Double(count * (count + 1) / 2)]) + bytes(own), "process \(rank)")
        }
    }

    @Test func aProcessAloneSumsToItself() throws {
        let alone = Collectives()
        #expect(try alone.sum([1, 2.5]) == [1, 2.5])
        #expect(try alone.broadcast([3]) == [3])
        #expect(try Collectives.join(environment: [:]).count == 1)
    }
}
