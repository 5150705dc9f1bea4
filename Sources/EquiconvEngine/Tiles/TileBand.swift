// SPDX-License-Identifier: Apache-2.0

/// The windows of source planes that the tiles of one block read, a window for each piece of neighboring tiles.
///
/// A block is a number of consecutive tiles in the order (image, tile row, tile column), one a lane. Windows are copied
/// with their padding into scratch, so that every lane reads rows of full length from a place of its own; lanes beyond the
/// last tile read those of the last.
struct TileBand {
  let grid: TileGrid
  /// Positions of one tile.
  let window: Box
  let source: Box
  /// The source coordinate of position 0 of tile 0.
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

  /// Copies the window of one piece out of a plane of its image.
  @inline(__always)
  func fill<S: EngineScalar>(
    _ piece: TileGrid.Piece, from plane: UnsafePointer<S>, into window: UnsafeMutablePointer<S>
  ) {
    let length = (piece.count - 1) * step.x + self.window.x
    checkInvariant(length <= rowStride, "rows lie in their windows")
    let x = origin.x + piece.column * step.x
    for y in 0..<self.window.y {
      copyRow(origin.y + piece.row * step.y + y, from: x, length, plane, into: window + y * rowStride)
    }
  }

  /// Positions `x ..< x + length` of row `y`, zeros or the periodic continuation where there is no source.
  @inline(__always)
  private func copyRow<S: EngineScalar>(
    _ y: Int, from x: Int, _ length: Int, _ plane: UnsafePointer<S>, into row: UnsafeMutablePointer<S>
  ) {
    if isCircular {
      let line = plane + Box.wrapped(y, source.y) * source.x
      var position = Box.wrapped(x, source.x)
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
    checkInvariant(
      low <= high && high <= length && (low == high || x + low >= 0 && x + high <= source.x), "rows lie in the source")
    if low > 0 { row.update(repeating: 0, count: low) }
    if high > low { (row + low).update(from: plane + (y * source.x + x + low), count: high - low) }
    if length > high { (row + high).update(repeating: 0, count: length - high) }
  }
}
