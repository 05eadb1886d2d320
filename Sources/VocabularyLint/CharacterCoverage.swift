import Tokenizers
import UnicodeText

/// Which characters of a list have an entry of their own.
public struct CharacterCoverage: Sendable, Equatable {
    /// What the list is: a standard, or a block of Unicode.
    public var name: String
    public var count: Int
    /// In the order of the list.
    public var missing: [Unicode.Scalar]

    public var covered: Int { count - missing.count }

    init(_ name: String, _ characters: [Unicode.Scalar], _ vocabulary: Vocabulary) {
        self.name = name
        count = characters.count
        missing = characters.filter { scalar in
            vocabulary.id(of: String(scalar)).map { !isText(vocabulary.type(of: $0)) } ?? true
        }
    }

    /// Of the standards that East Asian vocabularies are measured by.
    static func ofStandards(_ vocabulary: Vocabulary) -> [CharacterCoverage] {
        CharacterStandard.allCases.map { CharacterCoverage($0.name, $0.characters, vocabulary) }
    }

    /// Of the blocks with CJK in their names.
    static func ofBlocks(_ vocabulary: Vocabulary) -> [CharacterCoverage] {
        UnicodeBlock.cjk.map { CharacterCoverage($0.block.name, $0.characters, vocabulary) }
    }
}
