public import ArgumentParser
public import Tokenizers

extension LineFormat: ExpressibleByArgument {}
