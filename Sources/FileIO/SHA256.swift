internal import CCrypto

/// An incremental SHA-256, by libcrypto.
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto gives no SHA-256 context")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        precondition(EVP_DigestUpdate(context, base, bytes.count) == 1, "libcrypto failed to hash")
    }

    public func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The 32 bytes of the hash.
    public consuming func digest() -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        precondition(EVP_DigestFinal_ex(context, &result, nil) == 1, "libcrypto failed to hash")
        return result
    }

    /// The hash as 64 lower-case hexadecimal digits.
    public consuming func hexDigest() -> String {
        hexadecimal(digest())
    }

    public static func hexDigest(of bytes: UnsafeRawBufferPointer) -> String {
        let hash = SHA256()
        hash.update(bytes)
        return hash.hexDigest()
    }

    public static func hexDigest(ofFile path: String) throws(FileError) -> String {
        hexDigest(of: try MappedFile(path))
    }

    /// The hash of a file of any size, with a few megabytes of it in memory at a time.
    public static func hexDigest(of file: MappedFile) -> String {
        hexadecimal(digest(of: file, first: file.count))
    }

    /// As `hexDigest(of:)`, of the file's first bytes; the 32 bytes of the hash.
    package static func digest(of file: MappedFile, first count: Int) -> [UInt8] {
        let hash = SHA256()
        for start in stride(from: 0, to: count, by: 1 << 23) {
            let range = start..<min(start + 1 << 23, count)
            file.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[range])) }
            file.releasePages(range)
        }
        return hash.digest()
    }
}

public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
