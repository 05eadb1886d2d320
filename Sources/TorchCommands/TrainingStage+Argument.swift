public import ArgumentParser
public import Pretraining

extension TrainingStage: ExpressibleByArgument {}
extension TextDivision: ExpressibleByArgument {}
