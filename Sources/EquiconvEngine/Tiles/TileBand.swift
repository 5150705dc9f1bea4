// SPDX-License-Identifier: Apache-2.0

/// The windows of source planes that the tiles of one block read, a window for each run of neighbouring tiles.
///
/// A block is a number of consecutive tiles in the order (image, tile row, tile column), one a lane. Windows are copied
/// with their padding into scratch, so that every lane reads rows of full length from a place of its own; lanes beyond the
/// last tile read those of the last.
struct TileBand {
  /// Tiles that lie side by side.
  struct Run {
    var image: Int
    var row: Int
    var column: Int
    var count: Int
  }

  let tiles: Box
  /// Positions from one tile to the next, and of one tile.
  let step: Box
  let window: Box
  let source: Box
  /// The source coordinate of position 0 of tile 0.
  let origin: Box
  let isCircular: Bool
  let lanes: Int

  /// Scalars from one row of a window to the next: the longest run, and what vectors read beyond it.
  var rowStride: Int { (min(lanes, tiles.x) - 1) * step.x + window.x + lanes }
  /// Scalars of the scratch: in the worst case every tile is a run.
  var volume: Int {
    // Runs are cut by tile rows: there are no more than tiles, nor than rows that so many tiles touch.
    let runs = min(lanes, lanes / tiles.x + 2)
    return runs * window.y * rowStride
  }

  /// The runs of the tiles `first ..< first + count`.
  @inline(__always)
  func forEachRun(first: Int, count: Int, _ body: (_ lane: Int, Run) -> Void) {
    var lane = 0
    while lane < count {
      let tile = first + lane
      let column = tile % tiles.x
      let run = Run(
        image: tile / tiles.volume, row: tile / tiles.x % tiles.y, column: column,
        count: min(tiles.x - column, count - lane))
      body(lane, run)
      lane += run.count
    }
  }

  /// Where each lane finds its tile in the scratch.
  func writeLanes<S: EngineScalar>(
    first: Int, count: Int, scratch: UnsafeMutablePointer<S>,
    into pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
  ) {
    var window = scratch
    forEachRun(first: first, count: count) { lane, run in
      for tile in 0..<run.count { pointers[lane + tile] = UnsafeMutableRawPointer(window + tile * step.x) }
      window += self.window.y * rowStride
    }
    for lane in count..<lanes { pointers[lane] = pointers[count - 1] }
  }

  /// Copies the windows of one plane; `imageStride` scalars lie between the planes of one image and of the next.
  @inline(__always)
  func fill<S: EngineScalar>(
    first: Int, count: Int, from plane: UnsafePointer<S>, imageStride: Int, into scratch: UnsafeMutablePointer<S>
  ) {
    var window = scratch
    forEachRun(first: first, count: count) { _, run in
      fill(run, from: plane + run.image * imageStride, into: window)
      window += self.window.y * rowStride
    }
  }

  /// Copies the window of one run out of a plane of its image.
  @inline(__always)
  func fill<S: EngineScalar>(_ run: Run, from plane: UnsafePointer<S>, into window: UnsafeMutablePointer<S>) {
    let length = (run.count - 1) * step.x + self.window.x
    let x = origin.x + run.column * step.x
    for y in 0..<self.window.y {
      copyRow(origin.y + run.row * step.y + y, from: x, length, plane, into: window + y * rowStride)
    }
  }

  /// Positions `x ..< x + length` of row `y`, zeros or the periodic continuation where there is no source.
  @inline(__always)
  private func copyRow<S: EngineScalar>(
    _ y: Int, from x: Int, _ length: Int, _ plane: UnsafePointer<S>, into row: UnsafeMutablePointer<S>
  ) {
    if isCircular {
      let line = plane + PlaneLayout.wrapped(y, source.y) * source.x
      var position = PlaneLayout.wrapped(x, source.x)
      var done = 0
      while done < length {
        let piece = min(length - done, source.x - position)
        (row + done).update(from: line + position, count: piece)
        done += piece
        position = 0
      }
      return
    }
    let low = max(0, min(length, -x))
    let high = y < 0 || y >= source.y ? low : max(low, min(length, source.x - x))
    if low > 0 { row.update(repeating: 0, count: low) }
    if high > low { (row + low).update(from: plane + (y * source.x + x + low), count: high - low) }
    if length > high { (row + high).update(repeating: 0, count: length - high) }
  }
}
