import Foundation
import Partitioning
import Tokenizers

/// For new pieces the old ones that stand in the most similar surroundings in some texts.
///
/// Both tokenizers segment the same texts. What stands around a piece are characters, which do not depend on the
/// tokenizer, so that vectors of old pieces in the old segmentation compare with those of new ones in the new one. Kept in
/// memory are 8 KB for each piece that is frequent enough.
struct PieceNeighbours {
    /// Neighbours that a new piece gets, as in WECHSEL (Minixhofer and others, 2022).
    static let neighbourCount = 10
    /// What cosines are divided by before the softmax that makes weights of them; from there too.
    static let temperature = 0.1
    /// Pieces that come less often have too few surroundings to be compared by.
    static let fewestOccurrences = 10

    typealias Neighbour = (id: Int32, weight: Double)

    /// For each new id with neighbours these, most similar first, and their weights.
    private(set) var neighbours: [Int32: [Neighbour]] = [:]

    init(_ pair: TokenizerPair, texts: [String], threads: Int) throws {
        let (old, new) = (PieceSpelling(pair.old), PieceSpelling(pair.new))
        let oldCounts = try TextCounts(of: texts, old, threads: threads)
        let features = ContextFeatures(oldCounts.scalars)
        let oldIDs = (0..<pair.oldRows).filter {
            oldCounts.pieces[$0] >= Self.fewestOccurrences && pair.isText($0, in: pair.old)
        }
        let sources = try VectorPanels(
            ContextCounts(of: oldIDs.map { Int32($0) }, in: texts, old, features, threads: threads), features)
        let newCounts = try TextCounts(of: texts, new, threads: threads)
        let newIDs = pair.freshIDs.filter {
            newCounts.pieces[$0] >= Self.fewestOccurrences && pair.isText($0, in: pair.new)
        }
        let contexts = try ContextCounts(
            of: newIDs.map { Int32($0) }, in: texts, new, features, threads: threads)
        let blocks = partitions(of: contexts.ids.count, into: max(1, contexts.ids.count / 64))
        let found = concurrentValues(count: blocks.count, threads: threads) { block in
            sources.nearest(to: VectorPanels(contexts, features, blocks[block]))
        }
        for (id, list) in found.joined() { neighbours[id] = list }
    }
}

/// Vectors of pieces, laid out for products.
private struct VectorPanels: Sendable {
    /// Of each lane.
    let ids: [Int32]
    let panels: FloatPanels

    /// The vectors of some rows, those without one left out.
    init(_ contexts: ContextCounts, _ features: ContextFeatures, _ rows: Range<Int>? = nil) {
        var ids: [Int32] = []
        let panels = FloatPanels(laneCount: rows?.count ?? contexts.ids.count, depth: features.count)
        for row in rows ?? 0..<contexts.ids.count {
            guard let vector = contexts.vector(row, features) else { continue }
            panels.fill(lane: ids.count, with: vector)
            ids.append(contexts.ids[row])
        }
        self.ids = ids
        self.panels = panels
    }

    /// For each vector of `others` its id and the ids of these that it has the largest cosines with, with weights.
    func nearest(to others: VectorPanels) -> [(id: Int32, neighbours: [PieceNeighbours.Neighbour])] {
        var lists = [NearestList](repeating: NearestList(), count: others.ids.count)
        for panel in 0..<panels.count {
            for first in stride(from: 0, to: others.ids.count, by: 4) {
                let tile = ProductTile(others.panels, firstLane: first, panels, panel: panel, depth: panels.depth)
                for lane in 0..<min(4, others.ids.count - first) {
                    let cosines = tile[lane]
                    let firstID = panel * FloatPanels.lanes
                    for index in 0..<min(FloatPanels.lanes, ids.count - firstID) {
                        lists[first + lane].offer(ids[firstID + index], cosines[index])
                    }
                }
            }
        }
        return zip(others.ids, lists).map { ($0, $1.weighted) }.filter { !$0.1.isEmpty }
    }
}

/// The ids with the largest cosines so far, of equal ones those that came first.
private struct NearestList {
    private var entries: [(id: Int32, cosine: Float)] = []

    mutating func offer(_ id: Int32, _ cosine: Float) {
        guard cosine > 0 else { return }
        if entries.count == PieceNeighbours.neighbourCount {
            guard let last = entries.last, cosine > last.cosine else { return }
            entries.removeLast()
        }
        let place = entries.firstIndex { $0.cosine < cosine } ?? entries.count
        entries.insert((id, cosine), at: place)
    }

    /// The softmax of the cosines over the temperature, but for the sum, which is not 1.
    var weighted: [PieceNeighbours.Neighbour] {
        let largest = entries.first?.cosine ?? 0
        return entries.map { ($0.id, exp(Double($0.cosine - largest) / PieceNeighbours.temperature)) }
    }
}
