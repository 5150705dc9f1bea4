// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// Sizes of blocks and chunks. They change the speed, never the numbers.
///
/// A block is some vectors of pixels of one image. For it, transforms of a chunk of (channel, orbit) pairs are made into
/// a panel and multiplied there, chunk by chunk, and the sums are transformed back once.
struct GroupFourierBlocking {
  /// Panel and sums stay in a second-level cache of 1 to 2 MiB, beside a panel of weights.
  private static let panelBytes = 384 << 10
  private static let sumBytes = 384 << 10
  /// Multiples of the register tiles' three vectors; a step of a transform costs about as much as two vectors to begin.
  private static let sizes = [24, 12, 6, 3]

  /// Vectors of a block.
  let vectors: Int
  /// Output channels whose sums are kept at a time.
  let outputs: Int
  let chunks: [Chunk]

  /// Pairs of one panel: whole channels, or some orbits of one channel.
  struct Chunk: Sendable {
    let channels: Range<Int>
    let orbits: Range<Int>
  }

  /// - Parameter vectors: that cover one image.
  init(
    _ plan: GroupFourierPlan, channels: Int, outputs: Int, kernels: Microkernels, scalarBytes: Int, vectors: Int,
    images: Int, options: PassOptions
  ) {
    let vectorBytes = kernels.lanes * scalarBytes
    let limit = min(Self.sumBytes, options.workspaceLimit / 2)
    let bytes = plan.outputNumbers * vectorBytes
    var size = Self.sizes.first { $0 * outputs * bytes <= limit } ?? Self.sizes[Self.sizes.count - 1]
    while size > Self.sizes[Self.sizes.count - 1] && size > vectors { size /= 2 }
    let items = { (size: Int) in images * ((vectors + size - 1) / size) }
    while options.threads > 1 && size > 6 && items(size) < BatchShare.itemsPerThread * options.threads { size /= 2 }
    self.vectors = min(size, max(vectors, 1))
    // Whole panels of outputs, so that only the last block has narrow ones.
    let fitting = limit / max(1, self.vectors * bytes) / kernels.widestPanel * kernels.widestPanel
    self.outputs = min(outputs, max(kernels.widestPanel, fitting))
    let panel = min(Self.panelBytes, options.workspaceLimit / 4)
    chunks = Self.chunks(plan, channels: channels, most: panel / max(1, self.vectors * vectorBytes))
  }

  /// - Parameter most: numbers of ẑ for each pixel of a panel.
  static func chunks(_ plan: GroupFourierPlan, channels: Int, most: Int) -> [Chunk] {
    let orbits = plan.orbits.count
    let wholeChannels = most / max(1, plan.readNumbers)
    if wholeChannels > 0 {
      // Of about one size: a last one of a single channel would load and store all sums for little work.
      let count = (channels + wholeChannels - 1) / wholeChannels
      return (0..<count).map {
        Chunk(channels: $0 * channels / count..<($0 + 1) * channels / count, orbits: 0..<orbits)
      }
    }
    let pieces = min(orbits, (plan.readNumbers + most - 1) / max(1, most))
    return (0..<channels).flatMap { channel in
      (0..<pieces).map {
        Chunk(channels: channel..<channel + 1, orbits: $0 * orbits / pieces..<($0 + 1) * orbits / pieces)
      }
    }
  }

  /// The columns of a part that a chunk has for each of its channels.
  static func columns(_ part: GroupFourierPlan.Part, _ chunk: Chunk) -> Range<Int> {
    part.columnStarts[chunk.orbits.lowerBound]..<part.columnStarts[chunk.orbits.upperBound]
  }

  /// Numbers of ẑ for each pixel of the largest panel.
  static func panelNumbers(_ plan: GroupFourierPlan, _ chunks: [Chunk]) -> Int {
    chunks.reduce(0) { most, chunk in
      max(most, plan.parts.reduce(0) { $0 + chunk.channels.count * columns($1, chunk).count * $1.rows.count })
    }
  }
}
