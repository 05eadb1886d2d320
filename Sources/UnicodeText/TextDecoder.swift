import Glibc

/// Turns text of another encoding into UTF-8, a stretch at a time, by iconv(3).
///
/// A byte order mark at the start is dropped. Bytes that the encoding does not know become U+FFFD, one each.
public final class TextDecoder {
    private let converter: iconv_t
    /// The start of a character whose end has not come yet.
    private var pending: [UInt8] = []
    private var isAtStart = true
    /// Bytes that became U+FFFD.
    public private(set) var brokenBytes = 0

    /// - Parameter name: a name that iconv knows, such as GB18030, BIG5-HKSCS, UTF-16LE or CP936; nil if it does not.
    public init?(encoding name: String) {
        // Names reach the C library only if they look like names: it reads a trailing //IGNORE as an option.
        guard !name.isEmpty, name.utf8.allSatisfy({ $0.isNameByte }), let converter = iconv_open("UTF-8", name),
            Int(bitPattern: converter) != -1
        else { return nil }
        self.converter = converter
    }

    deinit { iconv_close(converter) }

    /// Appends the UTF-8 of `bytes`; the start of an unfinished character waits for the next call.
    public func decode(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        pending.append(contentsOf: bytes)
        let start = output.count
        var consumed = 0
        var room = [UInt8](repeating: 0, count: pending.count * 2 + 16)
        while consumed < pending.count {
            let (read, written, status) = convert(from: consumed, into: &room)
            output.append(contentsOf: room[..<written])
            consumed += read
            if status == EILSEQ {
                output.append(contentsOf: [0xEF, 0xBF, 0xBD])
                brokenBytes += 1
                consumed += 1
            } else if status == EINVAL {
                break
            }
        }
        pending.removeSubrange(..<consumed)
        if isAtStart, output.count > start {
            isAtStart = false
            if output[start...].starts(with: [0xEF, 0xBB, 0xBF]) { output.removeSubrange(start..<start + 3) }
        }
    }

    /// Ends the text: what is left of an unfinished character becomes U+FFFD.
    ///
    /// A lone LF byte is dropped: readers of lines put one behind the last line, which UTF-16 takes for half a unit.
    public func finish(into output: inout [UInt8]) {
        if !pending.isEmpty, pending != [0x0A] {
            output.append(contentsOf: [0xEF, 0xBF, 0xBD])
            brokenBytes += pending.count
        }
        pending = []
        isAtStart = true
        _ = iconv(converter, nil, nil, nil, nil)
    }

    /// Bytes read and written, and the error number, or 0.
    private func convert(from start: Int, into room: inout [UInt8]) -> (read: Int, written: Int, status: Int32) {
        pending.withUnsafeMutableBytes { source in
            room.withUnsafeMutableBytes { target in
                // iconv moves these between the bounds that the counts give.
                var input = source.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self)
                var left = source.count - start
                var output = target.baseAddress?.assumingMemoryBound(to: CChar.self)
                var free = target.count
                let result = iconv(converter, &input, &left, &output, &free)
                let status = result == -1 ? errno : 0
                return (source.count - start - left, target.count - free, status)
            }
        }
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
            || self == 0x2D || self == 0x5F
    }
}
