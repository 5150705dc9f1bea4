// SPDX-License-Identifier: Apache-2.0

/// The windows of planes that the tiles of one block read or write, a window for each piece of neighboring tiles.
///
/// A block is a number of consecutive tiles in the order (image, tile row, tile column), one a lane. Windows are copied
/// with their padding into scratch, so that every lane reads rows of full length from a place of its own; lanes beyond the
/// last tile read those of the last.
struct TileBand {
  let grid: TileGrid
  /// Positions of one tile.
  let window: Box
  let plane: PlaneView
  /// The coordinate in the plane of position 0 of tile 0.
  let origin: Box
  let isCircular: Bool
  let lanes: Int

  /// Scalars from one row of a window to the next: the longest piece, and what vectors read beyond it.
  var rowStride: Int { (min(lanes, grid.tiles.x) - 1) * step.x + window.x + lanes }
  /// Scalars of the scratch: in the worst case every tile is a piece.
  var volume: Int {
    // Pieces are cut by tile rows: there are no more than tiles, nor than rows that so many tiles touch.
    let pieces = min(lanes, lanes / grid.tiles.x + 2)
    return pieces * windowVolume
  }

  /// Scalars of the window of the longest piece.
  var windowVolume: Int { window.y * rowStride }

  /// Positions from one tile to the next.
  var step: Box { grid.outputs }

  /// Where each lane finds its tile in the scratch.
  func writeLanes<S: EngineScalar>(
    _ block: Range<Int>, scratch: UnsafeMutablePointer<S>,
    into pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
  ) {
    var window = scratch
    grid.forEachPiece(block) { piece in
      for tile in 0..<piece.count { pointers[piece.first + tile] = UnsafeMutableRawPointer(window + tile * step.x) }
      window += windowVolume
      checkInvariant(window <= scratch + volume, "windows lie in the scratch")
    }
    for lane in block.count..<lanes { pointers[lane] = pointers[block.count - 1] }
  }

  /// Copies the windows of one plane; `imageStride` scalars lie between the planes of one image and of the next.
  @inline(__always)
  func fill<S: EngineScalar>(
    _ block: Range<Int>, from plane: UnsafePointer<S>, imageStride: Int, into scratch: UnsafeMutablePointer<S>
  ) {
    var window = scratch
    grid.forEachPiece(block) { piece in
      fill(piece, from: plane + piece.image * imageStride, into: window)
      window += windowVolume
    }
  }

  /// Copies the window of one piece out of a plane of its image, with zeros or the periodic continuation where there is no
  /// source.
  @inline(__always)
  func fill<S: EngineScalar>(
    _ piece: TileGrid.Piece, from plane: UnsafePointer<S>, into window: UnsafeMutablePointer<S>
  ) {
    let length = (piece.count - 1) * step.x + self.window.x
    checkInvariant(length <= rowStride, "rows lie in their windows")
    let (y, x) = (origin.y + piece.row * step.y, origin.x + piece.column * step.x)
    if isCircular {
      Self.forEachRun(from: y, count: self.window.y, period: self.plane.size.y) { row, y, rows in
        Self.forEachRun(from: x, count: length, period: self.plane.size.x) { column, x, columns in
          self.plane.load(
            plane, y: y, x: x, rows: rows, columns: columns, into: window + (row * rowStride + column),
            stride: rowStride)
        }
      }
      return
    }
    let rows = Self.inside(y, count: self.window.y, size: self.plane.size.y)
    let columns = Self.inside(x, count: length, size: self.plane.size.x)
    clear(window, length: length, but: rows, columns)
    if rows.isEmpty || columns.isEmpty { return }
    self.plane.load(
      plane, y: y + rows.lowerBound, x: x + columns.lowerBound, rows: rows.count, columns: columns.count,
      into: window + (rows.lowerBound * rowStride + columns.lowerBound), stride: rowStride)
  }

  /// Copies what lies in the plane of the windows of a block to a plane of each image, `imageStride` scalars apart.
  @inline(__always)
  func store<S: EngineScalar>(
    _ block: Range<Int>, from scratch: UnsafePointer<S>, into plane: UnsafeMutablePointer<S>, imageStride: Int
  ) {
    var window = scratch
    grid.forEachPiece(block) { piece in
      let (y, x) = (piece.row * step.y, piece.column * step.x)
      self.plane.store(
        window, stride: rowStride, rows: min(self.window.y, self.plane.size.y - y),
        columns: min(piece.count * step.x, self.plane.size.x - x), into: plane + piece.image * imageStride, y: y, x: x)
      window += windowVolume
    }
  }

  /// Pieces of a stretch of a periodic axis that do not wrap: where each begins in the stretch and on the axis, its length.
  @inline(__always)
  private static func forEachRun(from first: Int, count: Int, period: Int, _ body: (Int, Int, Int) -> Void) {
    var position = Box.wrapped(first, period)
    var done = 0
    while done < count {
      let piece = min(count - done, period - position)
      body(done, position, piece)
      done += piece
      position = 0
    }
  }

  /// The places 0 ..< count of a stretch that lie on an axis.
  @inline(__always)
  private static func inside(_ first: Int, count: Int, size: Int) -> Range<Int> {
    let low = max(0, min(count, -first))
    return low..<max(low, min(count, size - first))
  }

  /// Zeros all of a window but a rectangle.
  @inline(__always)
  private func clear<S: EngineScalar>(
    _ window: UnsafeMutablePointer<S>, length: Int, but rows: Range<Int>, _ columns: Range<Int>
  ) {
    for y in 0..<self.window.y {
      let row = window + y * rowStride
      if rows.contains(y) {
        row.update(repeating: 0, count: columns.lowerBound)
        (row + columns.upperBound).update(repeating: 0, count: length - columns.upperBound)
      } else {
        row.update(repeating: 0, count: length)
      }
    }
  }
}
