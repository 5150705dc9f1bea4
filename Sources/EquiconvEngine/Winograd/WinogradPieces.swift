// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The pieces of one thread for a block of Winograd tiles.
struct WinogradPieces<S: EngineScalar> {
  /// Scalars of a strip of inputs and of outputs.
  let inputStrip: Int
  let outputStrip: Int
  /// From one point to the next.
  let inputPoint: Int
  let productPoint: Int

  let runs: Piece<equiconv_winograd_run>
  let inputVectors: Piece<Int>
  let stores: Piece<equiconv_winograd_store>
  let copies: Piece<equiconv_winograd_copy>
  /// What a block stores of each output plane.
  let stored: Piece<OutputRectangle>
  /// Where each vector of a row lies.
  let packed: Piece<Int>
  let vectors: Piece<S>
  let inputStrips: Piece<S>
  let outputStrips: Piece<S>
  /// Bᵀ d B, [point][plane][tile], and the sums of products, [point][output][tile].
  let inputs: Piece<S>
  let products: Piece<S>

  init(
    _ layout: inout Workspace.Layout, _ tiling: WinogradTiling, _ blocking: WinogradBlocking
  ) throws(ConvolutionError) {
    let vectors = blocking.blockVectors
    let points = tiling.points * tiling.points
    inputStrip = tiling.inputStrip(vectors)
    outputStrip = tiling.outputStrip(vectors)
    inputPoint = try Self.pointStride(blocking.planeChunk, vectors * tiling.lanes)
    productPoint = try Self.pointStride(blocking.outputBlock, vectors * tiling.lanes)
    runs = try layout.reserve(equiconv_winograd_run.self, tiling.mostRuns(vectors))
    inputVectors = try layout.reserve(Int.self, tiling.mostInputVectors(vectors), 1 + tiling.tile)
    stores = try layout.reserve(equiconv_winograd_store.self, vectors, tiling.tile)
    copies = try layout.reserve(equiconv_winograd_copy.self, tiling.mostCopies(vectors))
    stored = try layout.reserve(OutputRectangle.self, tiling.mostPieces(vectors))
    packed = try layout.reserve(Int.self, vectors)
    self.vectors = try layout.reserve(S.self, tiling.points, tiling.lanes)
    inputStrips = try layout.reserve(S.self, tiling.points, inputStrip)
    outputStrips = try layout.reserve(S.self, tiling.tile, outputStrip)
    inputs = try layout.reserve(S.self, points, inputPoint)
    products = try layout.reserve(S.self, points, productPoint)
  }

  /// An odd number of cache lines, so that a tile's points do not all fall into one set of a cache, with room for the
  /// vector that runs over the end of the last plane.
  private static func pointStride(_ planes: Int, _ row: Int) throws(ConvolutionError) -> Int {
    let line = Workspace.Layout.alignment / MemoryLayout<S>.stride
    let count = try Workspace.Layout.count(of: S.self, planes, row)
    return ((count + line - 1) / line + 1 | 1) * line
  }
}
