/// A message of TensorBoard's `Event` protocol buffer (tensorflow/core/util/event.proto), in bytes.
///
/// Every field is written, zeros too, so that a message's size depends on its tags and its step alone.
struct EventMessage {
    private(set) var bytes: [UInt8] = []

    /// The first message of a file.
    init(fileVersionAt time: Double) {
        append(time, field: 1)
        append(Array("brain.Event:2".utf8), field: 3)
    }

    /// Numbers of one step, as a `Summary` of simple values.
    init(step: Int, time: Double, scalars: [Scalar]) {
        append(time, field: 1)
        append(varint: UInt64(2 << 3))
        append(varint: UInt64(bitPattern: Int64(step)))
        var summary = EventMessage()
        for scalar in scalars {
            var value = EventMessage()
            value.append(Array(scalar.tag.utf8), field: 1)
            value.append(scalar.value, field: 2)
            summary.append(value.bytes, field: 1)
        }
        append(summary.bytes, field: 5)
    }

    private init() {}

    private mutating func append(_ value: Double, field: UInt64) {
        append(varint: field << 3 | 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    private mutating func append(_ value: Float, field: UInt64) {
        append(varint: field << 3 | 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    private mutating func append(_ content: [UInt8], field: UInt64) {
        append(varint: field << 3 | 2)
        append(varint: UInt64(content.count))
        bytes += content
    }

    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// The message as a TFRecord: its length, the masked CRC of that, the message, the masked CRC of that.
    var record: [UInt8] {
        var record: [UInt8] = []
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { record += $0 }
        withUnsafeBytes(of: masked(crc32c(record)).littleEndian) { record += $0 }
        record += bytes
        withUnsafeBytes(of: masked(crc32c(bytes)).littleEndian) { record += $0 }
        return record
    }

    /// Makes the CRC of data that holds CRCs a good one: rotated right by 15, plus a constant.
    private func masked(_ crc: UInt32) -> UInt32 {
        (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}
