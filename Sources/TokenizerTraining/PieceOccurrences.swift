import Partitioning

/// Where each piece occurs in the lattices: there, what is inside its text can be read off.
struct PieceOccurrences {
    private struct Place {
        var shard: Int32 = -1
        var position: Int32 = 0
        /// The first of the position's matches.
        var match = 0
    }

    private let shards: [LatticeShard]
    private let places: SharedBuffer<Place>

    /// Finds one occurrence of each of `count` pieces; the lanes look at different shards, and the first shard counts.
    init(_ shards: [LatticeShard], count: Int, threads: Int) throws {
        self.shards = shards
        let ranges = partitions(of: shards.count, into: max(1, min(threads, shards.count)))
        let found = try concurrentMap(count: ranges.count, threads: threads) { lane in
            let places = SharedBuffer<Place>(repeating: Place(), count: count)
            var missing = count
            for shard in ranges[lane] where missing > 0 {
                missing -= Self.note(shards[shard], Int32(shard), in: places)
            }
            return places
        }
        for lane in found.dropFirst() {
            for piece in 0..<count where found[0][piece].shard < 0 { found[0][piece] = lane[piece] }
        }
        places = found[0]
    }

    /// Notes the pieces of a shard that have no place yet; says how many.
    private static func note(_ shard: LatticeShard, _ number: Int32, in places: SharedBuffer<Place>) -> Int {
        var new = 0
        var next = 0
        for (position, count) in shard.matchCounts.enumerated() {
            for index in next..<next + Int(count) {
                let piece = Int(shard.matches[index])
                if places[piece].shard >= 0 { continue }
                places[piece] = Place(shard: number, position: Int32(position), match: next)
                new += 1
            }
            next += Int(count)
        }
        return new
    }

    func contains(_ piece: Int) -> Bool { places[piece].shard >= 0 }

    /// Lays out the lattice of a piece's own text; false if the piece occurs nowhere.
    func layOut(_ piece: Int, _ model: LatticeModel, in lattice: inout PieceLattice) -> Bool {
        let place = places[piece]
        guard place.shard >= 0 else { return false }
        let shard = shards[Int(place.shard)]
        let length = Int(model.pieces[piece].length)
        lattice.begin(length: length)
        var match = place.match
        for start in 0..<length {
            var hasSingle = false
            let count = Int(shard.matchCounts[Int(place.position) + start])
            for index in match..<match + count {
                let number = shard.matches[index]
                let piece = model.pieces[Int(number)]
                if start + Int(piece.length) > length { break }
                if piece.length == 1 { hasSingle = true }
                lattice.append(piece: number, start: start, length: Int(piece.length), score: piece.score)
            }
            if !hasSingle { lattice.append(piece: 0, start: start, length: 1, score: model.unknownScore) }
            match += count
        }
        return true
    }
}
