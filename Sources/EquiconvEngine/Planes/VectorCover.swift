// SPDX-License-Identifier: Apache-2.0

/// How vectors of L lanes cover the outputs of one element.
///
/// Lanes run along the flattened positions of the padded plane. A *run* is a stretch of them that is cut into vectors: a
/// row, a slice with the padding between its rows, or the whole volume, whichever needs the fewest vectors. The last
/// vector of a run begins early and overlaps its neighbor, which computes the same bits again.
struct VectorCover {
  /// One stretch of lanes that is stored contiguously (or with the grid's step).
  struct Piece {
    var lane: Int
    var length: Int
    var destination: Int
  }

  private enum Run { case row, slice, volume }

  let grid: OutputGrid
  let rowStride: Int
  let sliceStride: Int
  let lanes: Int
  private let run: Run
  let runLength: Int
  private let vectorsPerRun: Int
  /// Vectors that cover one output element.
  let vectorCount: Int
  /// Whether every vector is L neighboring outputs, so that it can be stored as it is.
  let isDirect: Bool
  /// Whether no two vectors compute the same output.
  let isDisjoint: Bool

  init(grid: OutputGrid, layout: PlaneLayout, lanes: Int) {
    self.grid = grid
    self.lanes = lanes
    let size = grid.size
    // Outputs that read nothing may be more than the layout has places for.
    let fits = size.x <= layout.rowStride && size.y * layout.rowStride <= layout.sliceStride
    rowStride = fits ? layout.rowStride : size.x
    sliceStride = fits ? layout.sliceStride : size.y * size.x
    let slice = (size.y - 1) * rowStride + size.x
    let volume = (size.z - 1) * sliceStride + slice
    let candidates = [(Run.row, size.z * size.y, size.x), (.slice, size.z, slice), (.volume, 1, volume)]
    var best = candidates[0]
    for candidate in candidates.dropFirst()
    where candidate.1 * Self.ceiling(candidate.2, lanes) < best.1 * Self.ceiling(best.2, lanes) { best = candidate }
    run = best.0
    runLength = best.2
    vectorsPerRun = Self.ceiling(best.2, lanes)
    vectorCount = best.1 * vectorsPerRun
    isDirect = best.0 == .row && size.x >= lanes && grid.step.x == 1
    isDisjoint = best.2 <= lanes || best.2 % lanes == 0
  }

  private static func ceiling(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

  /// Calls `body(index, source, run, start)` for the vectors `first ..< first + count`: where each reads, the
  /// number of its run, and its first position in it.
  @inline(__always)
  func forEach(first: Int, count: Int, _ body: (_ index: Int, _ source: Int, _ run: Int, _ start: Int) -> Void) {
    var run = first / vectorsPerRun
    var inRun = first % vectorsPerRun
    for index in 0..<count {
      let start = runLength >= lanes ? min(inRun * lanes, runLength - lanes) : 0
      body(index, base(ofRun: run) + start, run, start)
      inRun += 1
      if inRun == vectorsPerRun {
        inRun = 0
        run += 1
      }
    }
  }

  @inline(__always)
  private func base(ofRun index: Int) -> Int {
    switch run {
    case .row: index / grid.size.y * sliceStride + index % grid.size.y * rowStride
    case .slice: index * sliceStride
    case .volume: 0
    }
  }

  /// Where the first lane of a direct vector is stored.
  @inline(__always)
  func destination(run: Int, start: Int) -> Int {
    grid.destination(z: run / grid.size.y, y: run % grid.size.y, x: start)
  }

  /// Writes where each vector reads and, if it can be stored as it is, where.
  func writeOffsets(sources: UnsafeMutablePointer<Int>, destinations: UnsafeMutablePointer<Int>) {
    checkInvariants()
    forEach(first: 0, count: vectorCount) { index, source, run, start in
      sources[index] = source
      destinations[index] = isDirect ? destination(run: run, start: start) : 0
    }
  }

  /// Calls `body` for each stretch of the vector's lanes that holds outputs.
  @inline(__always)
  func forEachPiece(run index: Int, start: Int, _ body: (Piece) -> Void) {
    var z = run == .row ? index / grid.size.y : run == .slice ? index : start / sliceStride
    let inSlice =
      run == .row ? index % grid.size.y * rowStride + start : start - (run == .volume ? z * sliceStride : 0)
    var y = inSlice / rowStride
    var x = inSlice % rowStride
    var lane = 0
    let end = min(lanes, runLength - start)
    while lane < end {
      let length = min(end - lane, grid.size.x - x)
      if length > 0 && y < grid.size.y && z < grid.size.z {
        body(Piece(lane: lane, length: length, destination: grid.destination(z: z, y: y, x: x)))
      }
      lane += min(end - lane, rowStride - x)
      x = 0
      y += 1
      if y * rowStride >= sliceStride {
        y = 0
        z += 1
      }
    }
  }
}
