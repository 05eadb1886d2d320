public import ArgumentParser
public import Pretraining
public import Torch

extension TrainingStage: ExpressibleByArgument {}
extension TextDivision: ExpressibleByArgument {}
extension TrainedRows: ExpressibleByArgument {}
extension TrainedSides: ExpressibleByArgument {}
extension ScheduleShape: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension MomentStorage: ExpressibleByArgument {}

extension DeviceChoice: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { description }
}
