public import FileIO
import Safetensors

/// What is wrong with a checkpoint or an adapter, as facts.
public enum CheckpointError: BadDataError, Equatable {
    case noConfig(directory: String)
    case badJSON(path: String, reason: String)
    case missingKey(path: String, key: String, expected: String)
    case noWeights(directory: String)
    /// A symbolic link that leads nowhere.
    case brokenLink(path: String, target: String)
    /// Only pickled weights, which are never loaded.
    case pickleOnly(directory: String, file: String)
    case badIndex(path: String, reason: String)
    case shardMissing(index: String, shard: String)
    case tensorAbsent(index: String, tensor: String, shard: String)
    case tensorUnlisted(index: String, tensor: String, shard: String)
    /// A shard holds a tensor that the index places in another one.
    case tensorTwice(index: String, tensor: String, listed: String, shard: String)
    case noTensor(directory: String, tensor: String)
    /// `model_type` is not of the LLaMA family.
    case foreignFamily(path: String, family: String)
    /// What was written reads back otherwise; a fault of ours or of the disk.
    case notAsWritten(path: String, tensor: String)
    case unfit(path: String, reason: String)
}

extension CheckpointError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noConfig(let directory):
            "\(directory): no config.json in it; name a directory in Hugging Face layout"
        case .badJSON(let path, let reason): "\(path): \(reason); fetch or mend it"
        case .missingKey(let path, let key, let expected):
            "\(path): the key \"\(key)\" should be \(expected); add or correct it"
        case .noWeights(let directory):
            "\(directory): neither model.safetensors nor model.safetensors.index.json in it; "
                + "name a directory that holds the weights"
        case .brokenLink(let path, let target):
            "\(path): is a link to \(target), where nothing is; fetch the file again, or copy what the link leads to"
        case .pickleOnly(let directory, let file):
            "\(directory): has its weights only as a pickle (\(file)), which may run code when loaded; convert it with "
                + "AutoModelForCausalLM.from_pretrained(...).save_pretrained(..., safe_serialization=True)"
        case .badIndex(let path, let reason): "\(path): \(reason); fetch the checkpoint again"
        case .shardMissing(let index, let shard):
            "\(index): names the shard \(shard), which is not there; fetch the missing shard"
        case .tensorAbsent(let index, let tensor, let shard):
            "\(index): places tensor \(tensor) in \(shard), which does not hold it; fetch the checkpoint again"
        case .tensorUnlisted(let index, let tensor, let shard):
            "\(index): does not list tensor \(tensor), which is in \(shard); fetch the checkpoint again"
        case .tensorTwice(let index, let tensor, let listed, let shard):
            "\(index): places tensor \(tensor) in \(listed), but \(shard) holds one of that name too; "
                + "fetch the checkpoint again"
        case .noTensor(let directory, let tensor):
            "\(directory): holds no tensor \(tensor); check that this is a LLaMA-family checkpoint"
        case .foreignFamily(let path, let family):
            "\(path): the key \"model_type\" should be \"llama\" or \"mistral\", not \(quoted(family)); "
                + "give a checkpoint of the LLaMA family"
        case .notAsWritten(let path, let tensor):
            "\(path): \(tensor) did not come out as it should; check the disk and try again"
        case .unfit(let path, let reason): "\(path): \(reason)"
        }
    }
}
