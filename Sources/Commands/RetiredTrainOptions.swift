import ArgumentParser

/// Flags that spm_train 0.2.3 takes and ignores.
struct RetiredTrainOptions: ParsableArguments {
    @Option(help: "Without effect, as in spm_train 0.2.3.")
    var acceptLanguage: String?

    @Option(help: "Without effect: models hold no self-test.")
    var selfTestSampleSize: Int32?

    @Option(help: "Without effect.")
    var miningSentenceSize: Int32?

    @Option(help: "Without effect.")
    var trainingSentenceSize: Int32?

    @Option(help: "Without effect: there is no limit to lift.")
    var trainExtremelyLargeCorpus: SwitchValue?

    @Option(help: "Without effect: differential privacy is left out, as in spm_train 0.2.3.")
    var enableDifferentialPrivacy: SwitchValue?

    @Option(help: "Without effect: differential privacy is left out.")
    var differentialPrivacyNoiseLevel: Float?

    @Option(help: "Without effect: differential privacy is left out.")
    var differentialPrivacyClippingThreshold: UInt64?

    @Option(name: .customLong("minloglevel"), help: "Without effect; see --progress.")
    var minimumLogLevel: Int32?

    /// A line for each flag given.
    var remarks: [String] {
        let ignored = [
            ("accept-language", acceptLanguage != nil), ("self-test-sample-size", selfTestSampleSize != nil),
            ("mining-sentence-size", miningSentenceSize != nil),
            ("training-sentence-size", trainingSentenceSize != nil),
            ("train-extremely-large-corpus", trainExtremelyLargeCorpus != nil),
        ]
        let left = [
            ("enable-differential-privacy", enableDifferentialPrivacy != nil),
            ("differential-privacy-noise-level", differentialPrivacyNoiseLevel != nil),
            ("differential-privacy-clipping-threshold", differentialPrivacyClippingThreshold != nil),
        ]
        return ignored.filter(\.1).map { "--\($0.0) changes nothing, as in spm_train 0.2.3" }
            + left.filter(\.1).map { "--\($0.0) changes nothing: differential privacy is left out" }
    }
}
