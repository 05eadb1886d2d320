public import FileIO
import Torch

/// What stops a pretraining run that is not in a file: options, numbers, signals, a directory in use.
public enum PretrainingError: Error, Equatable {
    case badOption(name: String, value: String, need: String)
    /// `what` is "loss", "gradient norm" or "held-out loss of NAME"; `documents` are the first of those concerned.
    case notFinite(
        what: String, step: Int, run: String, documents: [DocumentPlace], lastCheckpoint: String?, replay: String)
    /// A weight that was made of finite ones.
    case notFiniteWeights(tensor: String, step: Int, run: String, lastCheckpoint: String?)
    case interrupted(step: Int, checkpoint: String?)
    /// Each difference is one phrase: `seed was 1, is 2`.
    case resumeDiffers(run: String, differences: [String])
    case alreadyFinished(run: String)
    case inUse(run: String)
    /// `newest` is the last checkpoint that was saved.
    case noRoom(path: String, what: String, bytes: Int, free: Int, newest: String?)
    /// `bytes` at one time, where the machine has `memory`.
    case tooLittleMemory(bytes: Int, memory: Int)
}

extension PretrainingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badOption(let name, let value, let need):
            return value.isEmpty ? "\(name): \(need)" : "\(name) \(value): \(need)"
        case .notFinite(let what, let step, let run, let documents, let lastCheckpoint, let replay):
            let stands = lastGood(lastCheckpoint)
            let concerned =
                documents.isEmpty ? "" : "; its documents: " + documents.map { "\($0)" }.joined(separator: ", ")
            return "\(run): the \(what) of step \(step) is not a finite number, so the run stopped before it changed"
                + " a weight; \(stands)\(concerned); lower --learning-rate, look at the checkpoint for NaN, or replay the"
                + " step by `\(replay)`"
        case .notFiniteWeights(let tensor, let step, let run, let lastCheckpoint):
            return
                "\(run): after step \(step) \(tensor) holds numbers that are not finite, so nothing was saved or written of"
                + " it; \(lastGood(lastCheckpoint)); lower --learning-rate or --weight-decay, and start anew with --force"
        case .interrupted(let step, let checkpoint):
            let saved = checkpoint.map { "its state is \($0)" } ?? "there was nothing to save yet"
            return "stopped after step \(step) as asked; \(saved); continue with --resume"
        case .resumeDiffers(let run, let differences):
            return "\(run): cannot be resumed, since it was started otherwise: " + differences.joined(separator: "; ")
                + "; give it the same inputs and options, or start anew with --force"
        case .alreadyFinished(let run):
            return "\(run): this run is finished; start another with a new --out, or replace it with --force"
        case .noRoom(let path, let what, let bytes, let free, let newest):
            let stands = newest.map { "the last saved state is \($0)" } ?? "no state was saved yet"
            return "\(path): \(what) takes \(megabytes(bytes)), but the disk has only \(megabytes(free)) left;"
                + " \(stands); make room and continue with --resume"
        case .inUse(let run):
            return "\(run): another run is writing here; wait for it or choose another --out"
        case .tooLittleMemory(let bytes, let memory):
            return "the run would take about \(gigabytes(bytes)) of memory at once, more than twice the"
                + " \(gigabytes(memory)) of this machine; lower --batch-size or --block-size, or ask for"
                + " --activation-checkpointing or --optimizer-state int8 (--dry-run says what takes how much)"
        }
    }
}

extension PretrainingError {
    init(_ error: ComputationError) {
        self = .badOption(name: error.option, value: error.value, need: error.need)
    }
}

private func megabytes(_ bytes: Int) -> String { rounded(Double(bytes) / 1e6, 1) + " MB" }
private func gigabytes(_ bytes: Int) -> String { rounded(Double(bytes) / 1e9, 1) + " GB" }

private func lastGood(_ checkpoint: String?) -> String {
    checkpoint.map { "the last good state is \($0)" } ?? "no state was saved yet"
}

/// What is wrong in a file that pretraining reads.
public enum TrainingDataError: BadDataError, Equatable {
    case noDocuments(paths: [String])
    case changedText(path: String)
    case badHoldOut(paths: [String], share: Double, heldOut: Int, documents: Int)
    case noEndPiece(tokenizer: String)
    case vocabularyTooLarge(tokenizer: String, pieces: Int, model: String, rows: Int)
    case damagedCache(path: String, reason: String)
    /// It is one value of JSON, or at least named like that.
    case wholeJSON(path: String)
    case damagedCheckpoint(path: String, reason: String)
    case noWholeCheckpoint(directory: String, damaged: [TrainingDataError])
    case damagedRun(path: String, reason: String)
    case unfitAdapter(path: String, reason: String)

    /// What is wrong with a checkpoint, without the mend.
    fileprivate var damage: String {
        if case .damagedCheckpoint(let path, let reason) = self { "\(path): \(reason)" } else { description }
    }
}

extension TrainingDataError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noDocuments(let paths):
            "\(paths.joined(separator: ", ")): holds no text; name files with one document a line"
        case .changedText(let path):
            "\(path): changed while it was read; run again when nobody writes to it"
        case .badHoldOut(let paths, let share, let heldOut, let documents):
            "\(paths.joined(separator: ", ")): --hold-out \(share) takes \(heldOut) of its \(documents) documents, but there"
                + " must be some to measure on and some to train on; give another share or more text"
        case .noEndPiece(let tokenizer):
            "\(tokenizer): has no end-of-sentence piece, which closes every document; use a tokenizer that has </s>"
        case .vocabularyTooLarge(let tokenizer, let pieces, let model, let rows):
            "\(tokenizer): has \(pieces) pieces, but \(model) has \(rows) embedding rows;"
                + " run `kuoci resize` on the model first"
        case .damagedCache(let path, let reason):
            "\(path): is not a whole token cache (\(reason)); it is made again from the text"
        case .damagedCheckpoint(let path, let reason):
            "\(path): is not a whole checkpoint (\(reason)); restore it from a copy, or delete it"
        case .noWholeCheckpoint(let directory, let damaged):
            "\(directory): none of the run's checkpoints is whole (\(damaged.map(\.damage).joined(separator: "; ")));"
                + " restore one from a copy, or start anew with --force"
        case .wholeJSON(let path):
            "\(path): would be read as plain text, braces and all; write a line {\"text\": ...} for each document and name"
                + " the file .jsonl"
        case .damagedRun(let path, let reason):
            "\(path): \(reason); start anew with --force"
        case .unfitAdapter(let path, let reason): "\(path): \(reason)"
        }
    }
}
