import FileIO
import LlamaModels
import OrderedJSON
import Safetensors
import TestSupport
import Torch

/// What transformers and PEFT computed with one of the tiny models in Tests/Fixtures/llama.
struct Goldens {
    let directory: String
    let facts: JSONValue
    let tensors: SafetensorsFile

    static let variants = ["grouped", "tied"]

    init(_ variant: String) throws {
        directory = fixture("llama/" + variant)
        facts = try JSONValue(parsing: readFile(directory + "/golden.json"))
        tensors = try SafetensorsFile(directory + "/golden.safetensors")
    }

    /// The batches, each of two blocks of 12 tokens, the first one with two documents.
    var batches: [TokenBatch] {
        (facts["batches"]?.array ?? []).map { batch in
            func ids(_ key: String) -> [Int32] { (batch[key]?.array ?? []).compactMap { $0.int.map(Int32.init) } }
            return TokenBatch(
                batchSize: 2, blockSize: 12, tokens: ids("tokens"), targets: ids("targets"),
                positions: ids("positions"), documents: ids("documents"))
        }
    }

    func number(_ key: String) -> Double { facts[key]?.double ?? .nan }

    func numbers(_ run: String, _ key: String) -> [Double] {
        (facts[run]?[key]?.array ?? []).map { $0.double ?? .nan }
    }
}

/// The largest difference between a tensor and what it should be, NaN included.
func largestDifference(_ tensor: Tensor, _ expected: [Float]) throws -> Float {
    let found = try tensor.floats()
    precondition(found.count == expected.count, "\(found.count) values where \(expected.count) were expected")
    return zip(found, expected).reduce(0) { $0.isNaN ? $0 : max($0, ($1.0 - $1.1).magnitude, $1.0 - $1.1) }
}
