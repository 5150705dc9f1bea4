// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Sizes of chunks and blocks, and why. They change the speed, never the numbers.
struct Blocking {
  /// Positions transposed in one item, and pixels that a register tile of a weight gradient streams in one go, so that they stay
  /// in the caches.
  static let transposedPositions = 256
  static let reducePixels = 512
  /// The fewest sums of a weight gradient in one part: whole register tiles.
  static let reduceUnitAlongInput = 3
  static let reduceUnitAlongOutput = 24
  /// Vectors of the largest register tile of `reduce`; see `equiconv_reduce_call.scratch`.
  static let reduceTileVectors = 32
  /// What a block reads should stay in a second-level cache of 1 to 2 MiB, beside a panel of weights, while all output
  /// elements and panels read it again. From the third level the stencil's scattered reads are latency-bound.
  private static let blockBytes = 640 << 10
  private static let innerBytes = 32 << 10
  /// Weights of a panel up to which all channels are summed in one go rather than to keep partial sums in scratch.
  private static let overlapBytes = 16 << 10
  /// Vectors of a row that neighboring tiles share.
  private static let rowVectors = 4
  /// Loading and storing a tile's partial sums should stay a small part of the work between.
  private static let fewestReads = 256
  private static let orbitPanelBytes = 512 << 10
  /// Multiples of the register tiles (3, 6 vectors), so that few tiles are left partly empty.
  private static let sizes = [384, 192, 96, 48, 36, 24, 18, 12, 6]
  private static let smallest = 6
  /// Larger blocks are for layers of few channels, whose blocks would otherwise be finished faster than they are handed
  /// out.
  private static let largestUsual = 48
  private static let fewestMultiplyAdds = 1 << 16
  /// Orbit sums of many coefficients: one register tile.
  private static let fewestOrbitVectors = 3

  let plan: GatherPlan
  let channels: Int
  let outputs: Int
  let lanes: Int
  let scalarBytes: Int
  /// Vectors that cover the largest grid.
  let vectors: Int

  /// Vectors of one block.
  func vectors(stacks: Int, threads: Int) -> Int {
    let work = outputs * channels * (plan.stencil.isOrbit ? plan.stencil.largestBank : mostReads)
    let largest = Self.sizes.last { $0 >= Self.largestUsual && $0 * work >= Self.fewestMultiplyAdds } ?? Self.sizes[0]
    var sizes = Self.sizes.filter { $0 <= largest && bytesRead(by: $0) <= Self.blockBytes }
    if plan.stencil.isOrbit {
      let bytesPerVector = scalarBytes * lanes * channels * plan.stencil.largestBank
      sizes = sizes.filter { $0 * bytesPerVector <= Self.orbitPanelBytes }
      if sizes.isEmpty { sizes = [Self.fewestOrbitVectors] }
    }
    var block = min(vectors, sizes.first ?? Self.smallest)
    let smallest = Self.smallest
    while block > smallest && threads > 1 && items(stacks, block) < BatchShare.itemsPerThread * threads {
      block = max(smallest, block / 2 / smallest * smallest)
    }
    return block
  }

  /// Channels that are summed in one go over a whole block, so that the weights and rows that neighboring tiles share
  /// stay in the first-level cache. In between, the partial sums are kept in the destination, which rounds nothing.
  ///
  /// - Parameter overlap: Whether vectors share outputs, which then could not be kept in the destination.
  func channelChunk(widestPanel: Int, overlap: Bool) -> Int {
    let isOrbit = plan.stencil.isOrbit
    let reads = isOrbit ? plan.stencil.largestBank : mostReads
    let rows = isOrbit ? reads : min(reads, plan.rowsRead)
    if overlap && scalarBytes * channels * reads * widestPanel <= Self.overlapBytes { return channels }
    let bytes = scalarBytes * (reads * widestPanel + rows * Self.rowVectors * lanes)
    let most = max(Self.innerBytes / max(bytes, 1), (Self.fewestReads + reads - 1) / max(reads, 1), 1)
    // Chunks of one size: a last one of a single channel would load and store all partial sums for little work.
    let chunks = max(1, (channels + most - 1) / most)
    return max(1, (channels + chunks - 1) / chunks)
  }

  /// Whether planes that need no padding are better read where they are: those of which each place is read through one tap
  /// and which stay in a second-level cache. Others were up to 10 % slower (64 × 64, 1 × 1 and 3 × 3): a caller's planes
  /// seldom begin at whole vectors and often lie a power of two apart, so that they evict each other.
  var favorsReadingInPlace: Bool {
    mostReads <= plan.stencil.inputElements
      && scalarBytes * channels * plan.stencil.inputElements * plan.layout.volume <= Self.blockBytes
  }

  /// The most reads of one output element; a phase of the stride has fewer, but its blocks should be those of the others.
  private var mostReads: Int { plan.reads.isPartial ? plan.reads.most : plan.stencil.mostTerms }

  private func items(_ stacks: Int, _ block: Int) -> Int {
    stacks * plan.stencil.outputElements * ((vectors + block - 1) / block)
  }

  /// The rows of all planes that a block of so many vectors reads, with those its stencil reaches into.
  private func bytesRead(by block: Int) -> Int {
    // No grid: a gradient that only falls on padding.
    guard let grid = plan.grids.first?.size else { return 0 }
    let layout = plan.layout
    let rows = min(layout.count.y, (block * lanes + layout.rowStride - 1) / layout.rowStride + layout.count.y - grid.y)
    let slices = min(layout.count.z, 1 + layout.count.z - grid.z)
    let planes = channels * plan.stencil.inputElements * layout.phaseCount
    return planes * slices * rows * layout.rowStride * scalarBytes
  }
}
