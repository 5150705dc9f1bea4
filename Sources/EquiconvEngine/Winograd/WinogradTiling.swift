// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The planes of a batch cut into tiles of P × P outputs.
///
/// Vectors of tiles are full whatever the size of the planes: a vector may hold the end of one row of tiles and the
/// beginning of the next, or tiles of several images.
struct WinogradTiling: Sendable {
  /// Taps on each axis, of kernels that reach as far or less.
  static let extent = 3

  /// P.
  let tile: Int
  let lanes: Int
  let batch: Int
  let grid: TileGrid
  let source: Box
  let target: Box
  let origin: Box
  let isCircular: Bool
  /// Scalars from one image to the next.
  let sourceImage: Int
  let targetImage: Int

  init(_ correlation: PlaneCorrelation, tile: Int, lanes: Int, batch: Int, channels: Int, outputs: Int) {
    self.tile = tile
    self.lanes = lanes
    self.batch = batch
    grid = TileGrid(correlation, outputs: Box(z: 1, y: tile, x: tile))
    source = correlation.source
    target = correlation.target
    origin = correlation.origin
    isCircular = correlation.isCircular
    sourceImage = channels * correlation.sourceElements * source.volume
    targetImage = outputs * correlation.targetElements * target.volume
  }

  /// Q: inputs and points of a tile on each axis.
  var points: Int { tile + Self.extent - 1 }
  /// Tiles along a row.
  var columns: Int { grid.tiles.x }
  /// All tiles, and the vectors they fill.
  var tiles: Int { batch * grid.tiles.volume }
  var vectors: Int { (tiles + lanes - 1) / lanes }

  // MARK: - Sizes of tables

  /// The most pieces of a block of so many vectors.
  func mostPieces(_ vectors: Int) -> Int { min(vectors * lanes, (vectors * lanes - 1) / columns + 2) }
  /// The most runs: a piece of a circular plane may wrap around it several times.
  func mostRuns(_ vectors: Int) -> Int {
    let piece = min(columns, vectors * lanes) * tile + 2
    return mostPieces(vectors) * (isCircular ? piece / source.x + 2 : 1)
  }
  func mostInputVectors(_ vectors: Int) -> Int { isAligned ? vectors : vectors + mostPieces(vectors) }
  /// What a piece cannot store directly: its beginning and its end.
  func mostCopies(_ vectors: Int) -> Int { 2 * mostPieces(vectors) }
  /// Scalars of an input strip: each piece begins where its columns are aligned; vectors may read past the last one.
  func inputStrip(_ vectors: Int) -> Int {
    vectors * lanes * tile + mostPieces(vectors) * (2 + lanes) + (tile + 1) * lanes + tile
  }
  func outputStrip(_ vectors: Int) -> Int { vectors * lanes * tile }

  /// Whether no P-th of a vector's pixels holds tiles of two rows.
  var isAligned: Bool { columns % max(1, lanes / tile) == 0 }

  // MARK: - Tables of a block

  /// Writes what the input transform of a block reads.
  /// - Returns: the numbers of runs and of vectors.
  func writeInputs(
    _ block: Range<Int>, runs: UnsafeMutablePointer<equiconv_winograd_run>, vectors: UnsafeMutablePointer<Int>
  ) -> (runs: Int, vectors: Int) {
    var (runCount, vectorCount) = (0, 0)
    if isAligned {
      vectorCount = (block.count + lanes - 1) / lanes
      for vector in 0..<vectorCount {
        vectors[vector * (1 + tile)] = vector * lanes
        for part in 0..<tile { vectors[vector * (1 + tile) + 1 + part] = 0 }
      }
    }
    var end = 0
    grid.forEachPiece(block) { piece in
      // The first column that lies in the plane begins a vector.
      let outside = max(0, -(piece.column * tile + origin.x))
      let strip = (end + outside + lanes - 1) / lanes * lanes - outside
      end = strip + piece.count * tile + 2
      runCount += writeRuns(piece, strip: strip, runs + runCount)
      if isAligned {
        writeParts(piece, strip: strip, vectors)
      } else {
        for first in stride(from: 0, to: piece.count, by: lanes) {
          let vector = vectors + vectorCount * (1 + tile)
          vector[0] = piece.first + first
          for part in 0..<tile { vector[1 + part] = strip + first * tile + part * lanes }
          vectorCount += 1
        }
      }
    }
    return (runCount, vectorCount)
  }

  /// Where the parts of vectors that begin in this piece lie in the strips.
  private func writeParts(_ piece: TileGrid.Piece, strip: Int, _ vectors: UnsafeMutablePointer<Int>) {
    let first = piece.first * tile
    var pixel = (first + lanes - 1) / lanes * lanes
    while pixel < first + piece.count * tile {
      let part = pixel / lanes
      vectors[part / tile * (1 + tile) + 1 + part % tile] = strip + pixel - first
      pixel += lanes
    }
  }

  /// The columns of a piece that lie in the plane, as they follow each other there.
  private func writeRuns(_ piece: TileGrid.Piece, strip: Int, _ runs: UnsafeMutablePointer<equiconv_winograd_run>)
    -> Int
  {
    let first = piece.column * tile + origin.x
    let count = piece.count * tile + 2
    if !isCircular {
      let (low, high) = (max(0, first), min(source.x, first + count))
      if low >= high { return 0 }
      runs[0] = run(piece, column: low, strip: strip + low - first, length: high - low)
      return 1
    }
    var (done, number) = (0, 0)
    while done < count {
      let column = Box.wrapped(first + done, source.x)
      let length = min(source.x - column, count - done)
      runs[number] = run(piece, column: column, strip: strip + done, length: length)
      number += 1
      done += length
    }
    return number
  }

  private func run(_ piece: TileGrid.Piece, column: Int, strip: Int, length: Int) -> equiconv_winograd_run {
    func place(_ i: Int) -> Int {
      let row = piece.row * tile + i + origin.y
      if !isCircular && (row < 0 || row >= source.y) || i >= points { return -1 }
      return piece.image * sourceImage + Box.wrapped(row, source.y) * source.x + column
    }
    return equiconv_winograd_run(
      rows: (place(0), place(1), place(2), place(3), place(4), place(5)), strip: strip, length: length)
  }

  /// Writes where the output transform of a block stores.
  /// - Returns: the number of copies.
  func writeOutputs(
    _ block: Range<Int>, stores: UnsafeMutablePointer<equiconv_winograd_store>,
    copies: UnsafeMutablePointer<equiconv_winograd_copy>
  ) -> Int {
    for part in 0..<(block.count + lanes - 1) / lanes * tile {
      stores[part] = equiconv_winograd_store(place: -1, rows: 0)
    }
    var copyCount = 0
    grid.forEachPiece(block) { piece in
      let first = piece.first * tile
      let count = min(piece.count * tile, target.x - piece.column * tile)
      let rows = min(tile, target.y - piece.row * tile)
      let place = piece.image * targetImage + piece.row * tile * target.x + piece.column * tile
      // Whole vectors in low ..< high, the rest by copies.
      let low = min((first + lanes - 1) / lanes * lanes, first + count)
      let high = max(low, (first + count) / lanes * lanes)
      for pixel in stride(from: low, to: high, by: lanes) {
        stores[pixel / lanes] = equiconv_winograd_store(place: place + pixel - first, rows: rows)
      }
      for range in [first..<low, high..<first + count] where !range.isEmpty {
        copies[copyCount] = equiconv_winograd_copy(
          strip: range.lowerBound, place: place + range.lowerBound - first, rows: rows, length: range.count)
        copyCount += 1
      }
    }
    return copyCount
  }

  /// Writes what a block stores of each output plane, every output once.
  /// - Returns: the number of rectangles.
  func writeRectangles(_ block: Range<Int>, _ rectangles: UnsafeMutablePointer<OutputRectangle>) -> Int {
    var count = 0
    grid.forEachPiece(block) { piece in
      let next = OutputRectangle(
        place: piece.image * targetImage + piece.row * tile * target.x + piece.column * tile,
        rows: min(tile, target.y - piece.row * tile), columns: min(piece.count * tile, target.x - piece.column * tile),
        stride: target.x)
      if count > 0, let joined = rectangles[count - 1].joined(with: next) {
        rectangles[count - 1] = joined
      } else {
        rectangles[count] = next
        count += 1
      }
    }
    return count
  }
}
