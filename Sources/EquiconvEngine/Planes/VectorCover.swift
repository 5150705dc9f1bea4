// SPDX-License-Identifier: Apache-2.0

/// How vectors of L lanes cover the outputs of one element.
///
/// Lanes run along the flattened positions of the padded plane, and in each place along the images that lie side by side. A *run* is a stretch of them that is cut into vectors: a
/// row, a slice with the padding between its rows, or the whole volume, whichever needs the fewest vectors. The last
/// vector of a run begins early and overlaps its neighbor, which computes the same bits again.
struct VectorCover {
  /// One stretch of lanes that is stored contiguously (or with the grid's step): neighboring outputs of all images.
  struct Piece {
    var lane: Int
    var outputs: Int
    var destination: Int

    /// Without the first lanes of a direct vector, whose outputs are neighbors.
    func without(_ lanes: Int) -> Piece {
      Piece(lane: lane + lanes, outputs: outputs - lanes, destination: destination + lanes)
    }
  }

  private enum Run { case row, slice, volume }

  /// The outputs, in rows as long as vectors may run along them.
  let grid: OutputGrid
  let rowStride: Int
  let sliceStride: Int
  let lanes: Int
  /// Images that lie side by side. It divides the lanes.
  let depth: Int
  private let run: Run
  let runLength: Int
  let vectorsPerRun: Int
  /// Vectors that cover one output element.
  let vectorCount: Int
  /// Whether every vector is L neighboring outputs, so that it can be stored as it is.
  let isDirect: Bool
  /// Whether vectors end at the last output at the latest: then they read nothing behind the places that are read.
  var staysInside: Bool { runLength >= lanes }
  /// Whether no two vectors compute the same output.
  let isDisjoint: Bool
  /// Whether the vectors hold all outputs once, in the order of the destination, and nothing else.
  let isDense: Bool

  init(grid: OutputGrid, layout: PlaneLayout, lanes: Int) {
    self.lanes = lanes
    depth = layout.depth
    // Outputs that read nothing may be more than the layout has places for.
    let fits = grid.size.x <= layout.count.x && grid.size.y <= layout.count.y
    let lines = fits ? Lines(joining: grid, layout) : Lines(apart: grid, depth: depth)
    self.grid = lines.grid
    rowStride = lines.rowStride
    sliceStride = lines.sliceStride
    let size = lines.grid.size
    let row = size.x * depth
    let slice = (size.y - 1) * rowStride + row
    let volume = (size.z - 1) * sliceStride + slice
    let candidates = [(Run.row, size.z * size.y, row), (.slice, size.z, slice), (.volume, 1, volume)]
    var best = candidates[0]
    for candidate in candidates.dropFirst()
    where candidate.1 * Self.ceiling(candidate.2, lanes) < best.1 * Self.ceiling(best.2, lanes) { best = candidate }
    run = best.0
    runLength = best.2
    vectorsPerRun = Self.ceiling(best.2, lanes)
    vectorCount = best.1 * vectorsPerRun
    isDirect = best.0 == .row && size.x >= lanes && grid.step.x == 1 && depth == 1
    isDisjoint = best.2 <= lanes || best.2 % lanes == 0
    isDense = best.0 == .row && best.2 % lanes == 0 && grid.isContiguous
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
      let length = min(end - lane, grid.size.x * depth - x)
      if length > 0 && y < grid.size.y && z < grid.size.z {
        // A division costs as much as storing a piece, and is seldom needed.
        let (outputs, place) = depth == 1 ? (length, x) : (length / depth, x / depth)
        body(Piece(lane: lane, outputs: outputs, destination: grid.destination(z: z, y: y, x: place)))
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

/// The rows of a grid in the padded plane. Those that follow one another without padding, there and in the destination, are
/// one long row.
private struct Lines {
  let grid: OutputGrid
  let rowStride: Int
  let sliceStride: Int

  init(joining grid: OutputGrid, _ layout: PlaneLayout) {
    let (size, start, step, plane) = (grid.size, grid.start, grid.step, grid.plane)
    if size.x != plane.x || size.x != layout.count.x || step.y != 1 {
      (self.grid, rowStride, sliceStride) = (grid, layout.rowStride, layout.sliceStride)
    } else if size.y != plane.y || size.y != layout.count.y || step.z != 1 {
      self.grid = OutputGrid(
        size: Box(z: size.z, y: 1, x: size.y * size.x), start: Box(z: start.z, y: 0, x: start.y * plane.x),
        step: Box(z: step.z, y: 1, x: 1), plane: Box(z: plane.z, y: 1, x: plane.y * plane.x))
      (rowStride, sliceStride) = (layout.sliceStride, layout.sliceStride)
    } else {
      self.grid = OutputGrid(
        size: Box(z: 1, y: 1, x: size.volume), start: Box(z: 0, y: 0, x: start.z * plane.y * plane.x),
        step: Box(z: 1, y: 1, x: 1), plane: Box(z: 1, y: 1, x: plane.volume))
      (rowStride, sliceStride) = (size.volume * layout.depth, size.volume * layout.depth)
    }
  }

  init(apart grid: OutputGrid, depth: Int) {
    self.grid = grid
    rowStride = grid.size.x * depth
    sliceStride = grid.size.y * rowStride
  }
}
