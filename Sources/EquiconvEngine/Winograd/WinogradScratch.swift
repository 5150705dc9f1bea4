// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// Memory of one thread for a block of Winograd tiles.
struct WinogradScratch<S: EngineScalar> {
  /// Where its pieces begin, in bytes, and strides, in scalars.
  struct Layout: Sendable {
    let bytes: Int
    /// Scalars of a strip of inputs and of outputs.
    let inputStrip: Int
    let outputStrip: Int
    /// From one point to the next.
    let inputPoint: Int
    let productPoint: Int
    fileprivate let places: [Int]

    init(_ tiling: WinogradTiling, _ blocking: WinogradBlocking) throws(ConvolutionError) {
      let vectors = blocking.blockVectors
      let points = tiling.points * tiling.points
      inputStrip = tiling.inputStrip(vectors)
      outputStrip = tiling.outputStrip(vectors)
      inputPoint = try Self.pointStride(blocking.planeChunk, vectors * tiling.lanes)
      productPoint = try Self.pointStride(blocking.outputBlock, vectors * tiling.lanes)
      var memory = Workspace.Plan()
      places = [
        try memory.reserve(equiconv_winograd_run.self, tiling.mostRuns(vectors)),
        try memory.reserve(Int.self, tiling.mostInputVectors(vectors), 1 + tiling.tile),
        try memory.reserve(equiconv_winograd_store.self, vectors, tiling.tile),
        try memory.reserve(equiconv_winograd_copy.self, tiling.mostCopies(vectors)),
        try memory.reserve(Int.self, vectors),
        try memory.reserve(S.self, tiling.points, tiling.lanes),
        try memory.reserve(S.self, tiling.points, inputStrip),
        try memory.reserve(S.self, tiling.tile, outputStrip),
        try memory.reserve(S.self, points, inputPoint),
        try memory.reserve(S.self, points, productPoint),
      ]
      bytes = memory.bytes
    }

    /// An odd number of cache lines, so that a tile's points do not all fall into one set of a cache, with room for the
    /// vector that runs over the end of the last plane.
    private static func pointStride(_ planes: Int, _ row: Int) throws(ConvolutionError) -> Int {
      let line = 64 / MemoryLayout<S>.stride
      var memory = Workspace.Plan()
      _ = try memory.reserve(S.self, planes, row)
      return ((planes * row + line - 1) / line + 1 | 1) * line
    }
  }

  let layout: Layout
  private let base: UnsafeMutableRawPointer

  init(_ base: UnsafeMutableRawPointer, _ layout: Layout) {
    self.layout = layout
    self.base = base + (64 - Int(bitPattern: base) & 63) & 63
  }

  private func pointer<T>(_ index: Int) -> UnsafeMutablePointer<T> {
    (base + layout.places[index]).assumingMemoryBound(to: T.self)
  }

  var runs: UnsafeMutablePointer<equiconv_winograd_run> { pointer(0) }
  var inputVectors: UnsafeMutablePointer<Int> { pointer(1) }
  var stores: UnsafeMutablePointer<equiconv_winograd_store> { pointer(2) }
  var copies: UnsafeMutablePointer<equiconv_winograd_copy> { pointer(3) }
  /// Where each vector of a row lies.
  var packed: UnsafeMutablePointer<Int> { pointer(4) }
  var vectors: UnsafeMutablePointer<S> { pointer(5) }
  var inputStrips: UnsafeMutablePointer<S> { pointer(6) }
  var outputStrips: UnsafeMutablePointer<S> { pointer(7) }
  /// Bᵀ d B, [point][plane][tile], and the sums of products, [point][output][tile].
  var inputs: UnsafeMutablePointer<S> { pointer(8) }
  var products: UnsafeMutablePointer<S> { pointer(9) }
}
