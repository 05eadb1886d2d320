import FileIO
import Foundation
import TestSupport
import Testing

@testable import Reports

@Suite struct EventFileTests {
    @Test func checksumsAreThoseOfTheStandard() {
        // RFC 3720, appendix B.4.
        #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(crc32c(0..<32) == 0x46DD_794E)
        #expect(crc32c("123456789".utf8) == 0xE306_9283)
    }

    @Test func aRecordIsWhatTensorBoardWrites() {
        // tensorboard 2.21: RecordWriter over Event(wall_time=1.5, step=300, summary=... "a/b" 0.25).
        let record = EventMessage(step: 300, time: 1.5, scalars: [Scalar("a/b", 0.25)]).record
        #expect(hexadecimal(record) == Self.recordOfTensorBoard)
        #expect(hexadecimal(EventMessage(fileVersionAt: 1.5).record) == Self.headerOfTensorBoard)
    }

    static let recordOfTensorBoard =
        "1a00000000000000129bd82d09000000000000f83f10ac022a0c0a0a0a03612f62150000803ef9cde7ed"
    static let headerOfTensorBoard = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c"

    @Test func theSameStepsTakeTheSameBytesWhateverTheNumbers() {
        let tags = ["train/loss", "held/zh/loss"]
        func size(_ value: Double) -> Int {
            EventMessage(step: 7, time: value, scalars: tags.map { Scalar($0, value) }).record.count
        }
        #expect(size(0) == size(1.25))
        #expect(size(0) == size(-1e30))
    }

    @Test func aResumedFileIsCutBackAndWrittenOn() throws {
        try withTemporaryDirectory { directory in
            var file = try EventFile(directory: directory + "/tensorboard", length: 0)
            try file.append(step: 1, [Scalar("loss", 3)])
            let length = file.length
            try file.append(step: 2, [Scalar("loss", 2)])
            let whole = try readFile(file.path).count
            file = try EventFile(directory: directory + "/tensorboard", length: length)
            #expect(try readFile(file.path).count == length)
            try file.append(step: 2, [Scalar("loss", 2)])
            #expect(try readFile(file.path).count == whole)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/tensorboard").count == 1)
        }
    }

    @Test func eventsBeginAnewWhereTheirFileIsGone() throws {
        try withTemporaryDirectory { directory in
            let header = EventMessage(fileVersionAt: 0).record.count
            for _ in 0..<2 {
                let file = try EventFile(directory: directory, length: 500)
                #expect(file.length == header)
            }
        }
    }
}
