import FileIO
import OrderedJSON
import PieceModel
public import Tokenizers

/// The files that Hugging Face transformers opens a LLaMA tokenizer from.
public struct TokenizerDirectory: Sendable {
    /// The files that `write` makes.
    public static let fileNames = [
        "tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    ]

    private let tokenizer: Tokenizer
    private let addsBegin: Bool
    private let addsEnd: Bool

    /// - Parameters: as those of `TokenizerJSON`.
    public init(_ tokenizer: Tokenizer, addsBegin: Bool = true, addsEnd: Bool = false) {
        (self.tokenizer, self.addsBegin, self.addsEnd) = (tokenizer, addsBegin, addsEnd)
    }

    /// Writes all files into an existing directory.
    public func write(to directory: String) throws {
        let json = TokenizerJSON(tokenizer, addsBegin: addsBegin, addsEnd: addsEnd)
        let contents = [
            try tokenizer.model.serialized(), json.utf8(), configuration.utf8(.pretty), specialTokensMap.utf8(.pretty),
        ]
        for (name, bytes) in zip(Self.fileNames, contents) { try writeFile(directory + "/" + name, bytes) }
    }

    private func name(of id: PieceID?) -> JSONValue {
        id.map { .string(tokenizer.vocabulary.text(of: $0)) } ?? .null
    }

    /// The class that transformers opens the directory with.
    ///
    /// transformers 5's LlamaTokenizer makes a pipeline of its own, which drops a space before a text; the other class
    /// takes tokenizer.json as it is. Equal scores cannot be told to tokenizer.json: there the class stays that which
    /// transformers 4 can open with SentencePiece.
    var className: String {
        isToldByJSON ? "PreTrainedTokenizerFast" : "LlamaTokenizer"
    }

    private var isToldByJSON: Bool {
        guard tokenizer.model.proto.trainerSpec.modelType == .bpe else { return true }
        var scores: Set<Float> = []
        return tokenizer.model.proto.pieces.allSatisfy { piece in
            // What one scalar stands for is not merged; LLaMA's runs of spaces share the lowest score and come out alike.
            piece.type != .normal || piece.piece.unicodeScalars.count < 2
                || piece.piece.unicodeScalars.allSatisfy { $0 == "▁" } || scores.insert(piece.score).inserted
        }
    }

    /// tokenizer_config.json.
    var configuration: JSONValue {
        var added: JSONValue = [:]
        for id in specialPieces(of: tokenizer.vocabulary) {
            added["\(id)"] = [
                "content": .string(tokenizer.vocabulary.text(of: id)), "lstrip": false, "normalized": false,
                "rstrip": false, "single_word": false,
                "special": .bool(tokenizer.vocabulary.type(of: id) != .userDefined),
            ]
        }
        return [
            "add_bos_token": .bool(addsBegin), "add_eos_token": .bool(addsEnd),
            "add_prefix_space": .bool(tokenizer.model.proto.normalizerSpec.addDummyPrefix),
            "added_tokens_decoder": added, "bos_token": name(of: tokenizer.beginID),
            "clean_up_tokenization_spaces": false, "eos_token": name(of: tokenizer.endID), "legacy": true,
            "model_max_length": .number("1000000000000000019884624838656"), "pad_token": name(of: tokenizer.padID),
            "sp_model_kwargs": [:], "spaces_between_special_tokens": false, "tokenizer_class": .string(className),
            "unk_token": name(of: tokenizer.vocabulary.unknownID), "use_default_system_prompt": false,
        ]
    }

    /// special_tokens_map.json: the tokens that the model has.
    var specialTokensMap: JSONValue {
        var map: JSONValue = [:]
        let tokens = [
            ("bos_token", tokenizer.beginID), ("eos_token", tokenizer.endID), ("pad_token", tokenizer.padID),
            ("unk_token", tokenizer.vocabulary.unknownID),
        ]
        for (key, id) in tokens {
            guard let id else { continue }
            map[key] = [
                "content": name(of: id), "lstrip": false, "normalized": false, "rstrip": false, "single_word": false,
            ]
        }
        return map
    }
}
