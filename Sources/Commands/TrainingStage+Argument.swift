#if KUOCI_TORCH
    public import ArgumentParser
    public import Pretraining

    extension TrainingStage: ExpressibleByArgument {}
#endif
