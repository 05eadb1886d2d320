import FileIO
import OrderedJSON
import TestSupport
import Testing

@Suite struct InitCommandTests {
    /// A config whose values `init --config` takes over.
    private func config(_ ids: String) -> String {
        """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 7, "rms_norm_eps": 1e-5, \(ids)}
        """
    }

    private func initialize(_ ids: String, _ body: (Ending, _ directory: String) throws -> Void) throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            // 260 entries with <unk> and the bytes.
            try writeModel(["中", "文", "中文"], to: directory + "/m.model")
            try writeFile(directory + "/config.json", config(ids).utf8)
            let ending = try run(
                program,
                [
                    "init", "--config", directory + "/config.json", "--tokenizer", directory + "/m.model", "--out",
                    directory + "/out", "--progress", "none",
                ])
            try body(ending, directory)
        }
    }

    @Test(arguments: [
        (#""bos_token_id": 128000"#, "bos_token_id is 128000"), (#""eos_token_id": [2, 260]"#, "eos_token_id is 260"),
        (#""pad_token_id": 260"#, "pad_token_id is 260"),
    ])
    func `a special token that the tokenizer has no entry for is refused`(_ ids: String, _ told: String) throws {
        try initialize(ids) { ending, directory in
            #expect(ending.code == 65)
            #expect(
                ending.diagnostics.hasPrefix(
                    "kuoci: \(directory)/config.json: \(told), but the tokenizer has 260 entries"),
                "\(ending.diagnostics)")
        }
    }

    @Test(arguments: [
        #""bos_token_id": 259, "eos_token_id": [1, 2]"#, #""pad_token_id": -1"#, #""eos_token_id": null"#,
    ])
    func `special tokens with entries, or none, are kept`(_ ids: String) throws {
        try initialize(ids) { ending, directory in
            #expect(ending.code == 0, "\(ending.diagnostics)")
            let written = try JSONValue(parsing: try readFile(directory + "/out/config.json"))
            let given = try JSONValue(parsing: Array("{\(ids)}".utf8))
            for key in ["bos_token_id", "eos_token_id", "pad_token_id"] { #expect(written[key] == given[key]) }
        }
    }

    @Test func `a tokenizer that is not there is said to be missing`() throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            let path = directory + "/none"
            let ending = try run(program, ["init", "--tokenizer", path, "--out", directory + "/out"])
            #expect(ending.code == 1)
            #expect(ending.diagnostics == "kuoci: \(FileError.missing(path: path))\n")
        }
    }
}
