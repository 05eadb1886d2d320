import OrderedJSON

/// The `post_processor` of a tokenizer.json: the ids around one text.
struct SpecialTokenTemplate: Sendable {
    private(set) var before: [Int32] = []
    private(set) var after: [Int32] = []

    init(_ node: FileNode?, _ vocabulary: TokenTable, _ added: AddedTokens) throws(TokenizerFormatError) {
        guard let node else { return }
        guard try node.type() == "TemplateProcessing" else {
            throw node.unsupported("a post-processor of type \(try node.type())")
        }
        var hasSequence = false
        for part in try node.member("single").elements() {
            if part["Sequence"] != nil {
                hasSequence = true
                continue
            }
            let name = try part.member("SpecialToken").member("id")
            let ids = try Self.ids(of: name, node, vocabulary, added)
            if hasSequence { after += ids } else { before += ids }
        }
    }

    private static func ids(
        of name: FileNode, _ node: FileNode, _ vocabulary: TokenTable, _ added: AddedTokens
    ) throws(TokenizerFormatError) -> [Int32] {
        let key = try name.bytes()
        guard let members = node["special_tokens"]?.json.members, let entry = members.first(where: { $0.key == key })
        else { throw name.failure("names \(shown(key)), which special_tokens lacks") }
        let place = node.place + ".special_tokens[" + shown(key) + "]"
        var ids: [Int32] = []
        for element in try FileNode(path: node.path, place: place, json: entry.value).member("ids").elements() {
            let id = try element.id()
            guard vocabulary.token(of: id) != nil || added.contents[id] != nil else {
                throw element.failure("is \(id), an id without a token")
            }
            ids.append(id)
        }
        return ids
    }
}
