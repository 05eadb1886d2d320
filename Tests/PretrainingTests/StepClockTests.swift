import Testing

@testable import Pretraining

@Suite struct StepClockTests {
    @Test func theTimeLeftFollowsFromThisProcessAlone() {
        let new = StepClock()
        #expect(new.secondsLeft(steps: 90, evaluations: 3) == nil)
        // A run that was resumed at step 80 of 100 and has done 10 steps here.
        let resumed = StepClock(steps: .init(seconds: 20, count: 10))
        #expect(resumed.secondsLeft(steps: 10, evaluations: 2) == 20)
        let measured = StepClock(steps: .init(seconds: 20, count: 10), evaluations: .init(seconds: 6, count: 2))
        #expect(measured.secondsLeft(steps: 10, evaluations: 2) == 26)
        #expect(measured.secondsLeft(steps: 0, evaluations: 0) == 0)
    }
}
