public import ArgumentParser
public import Pretraining

extension TrainingStage: ExpressibleByArgument {}
extension TextDivision: ExpressibleByArgument {}
extension TrainedRows: ExpressibleByArgument {}
extension TrainedSides: ExpressibleByArgument {}
extension ScheduleShape: ExpressibleByArgument {}
