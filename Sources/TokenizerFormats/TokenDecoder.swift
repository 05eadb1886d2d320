import OrderedJSON
import UnicodeText

/// The `decoder` of a tokenizer.json: how tokens become text.
struct TokenDecoder: Sendable {
    private(set) var steps: [Step] = []

    enum Step: Sendable {
        case replace([UInt8], with: [UInt8])
        case byteFallback
        case fuse
        case strip(Unicode.Scalar, start: Int, stop: Int)
        case metaspace([UInt8], dropsFirst: Bool)
    }

    init(_ node: FileNode) throws(TokenizerFormatError) {
        try add(node)
    }

    private mutating func add(_ node: FileNode) throws(TokenizerFormatError) {
        switch try node.type() {
        case "Sequence": for child in try node.member("decoders").elements() { try add(child) }
        case "Replace":
            guard let pattern = try node.literalPattern() else { throw node.unsupported("a regular expression") }
            if pattern.isEmpty { throw node.failure("has an empty pattern") }
            steps.append(.replace(pattern, with: try node.member("content").bytes()))
        case "ByteFallback": steps.append(.byteFallback)
        case "Fuse": steps.append(.fuse)
        case "Strip":
            let content = try node.member("content")
            let scalars = Array(try content.string().unicodeScalars)
            guard scalars.count == 1 else { throw content.failure("is not one character") }
            steps.append(
                .strip(scalars[0], start: try node.count("start", default: 0), stop: try node.count("stop", default: 0))
            )
        case "Metaspace":
            steps.append(
                .metaspace(try node.member("replacement").bytes(), dropsFirst: try prepending(of: node) != .never))
        case let other: throw node.unsupported("a decoder of type \(other)")
        }
    }

    /// What tokens become, part by part.
    func decode(_ tokens: [[UInt8]]) -> [[UInt8]] {
        steps.reduce(tokens) { tokens, step in
            switch step {
            case .replace(let pattern, let content): tokens.map { replacing(pattern, in: $0, with: content) }
            case .byteFallback: joiningBytes(tokens)
            case .fuse: [Array(tokens.joined())]
            case .strip(let content, let start, let stop): tokens.map { strip($0, content, start, stop) }
            case .metaspace(let mark, let dropsFirst):
                tokens.enumerated().map { index, token in
                    replacing(mark, in: token, with: index == 0 && dropsFirst ? [] : [0x20])
                }
            }
        }
    }
}

/// Runs of byte tokens become the text that they spell, or as many U+FFFD if they spell none.
private func joiningBytes(_ tokens: [[UInt8]]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var run: [UInt8] = []
    func endRun() {
        if run.isEmpty { return }
        let isText = String(validating: run, as: UTF8.self) != nil
        result += isText ? [run] : Array(repeating: [0xEF, 0xBF, 0xBD], count: run.count)
        run = []
    }
    for token in tokens {
        if let byte = byte(of: token) {
            run.append(byte)
        } else {
            endRun()
            result.append(token)
        }
    }
    endRun()
    return result
}

/// The byte that `<0x0A>` stands for; digits may be small here.
private func byte(of token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: Array("<0x".utf8)), token[5] == UInt8(ascii: ">") else { return nil }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
}

private func strip(_ token: [UInt8], _ content: Unicode.Scalar, _ start: Int, _ stop: Int) -> [UInt8] {
    let scalars = Array(String(decoding: token, as: UTF8.self).unicodeScalars)
    let first = scalars.prefix(start).prefix { $0 == content }.count
    let last = scalars.reversed().prefix(stop).prefix { $0 == content }.count
    guard first < scalars.count - last else { return [] }
    var result: [UInt8] = []
    for scalar in scalars[first..<scalars.count - last] { UTF8Scalars.append(scalar.value, to: &result) }
    return result
}
