// SPDX-License-Identifier: Apache-2.0

/// How tiles cover the planes of a batch: their outputs do not overlap, and they are numbered image by image and row by row.
struct TileGrid: Sendable {
  /// Outputs of a tile, and tiles of a plane, on each axis.
  let outputs: Box
  let tiles: Box

  init(_ correlation: PlaneCorrelation, outputs: Box) { self.init(correlation.target, outputs: outputs) }

  /// - Parameter target: Extents of a plane.
  init(_ target: Box, outputs: Box) {
    self.outputs = outputs
    tiles = Box(z: 1, y: (target.y - 1) / outputs.y + 1, x: (target.x - 1) / outputs.x + 1)
  }

  /// Tiles of n × n inputs; nil where the kernel reaches too far for one to have outputs.
  init?(_ correlation: PlaneCorrelation, inputs n: Int) {
    let outputs = Box(z: 1, y: n - correlation.reach.y + 1, x: n - correlation.reach.x + 1)
    guard outputs.y > 0, outputs.x > 0 else { return nil }
    self.init(correlation, outputs: outputs)
  }

  /// Tiles of a block that lie side by side in one row.
  struct Piece {
    let image: Int
    let row: Int
    /// The first tile, in its row and in the block.
    let column: Int
    let first: Int
    let count: Int
  }

  /// Cuts a block of consecutive tiles where rows end.
  @inline(__always)
  func forEachPiece(_ block: Range<Int>, _ body: (Piece) -> Void) {
    var tile = block.lowerBound
    while tile < block.upperBound {
      let column = tile % tiles.x
      let count = min(tiles.x - column, block.upperBound - tile)
      body(
        Piece(
          image: tile / tiles.volume, row: tile / tiles.x % tiles.y, column: column, first: tile - block.lowerBound,
          count: count))
      tile += count
    }
  }
}
