// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// Sizes of blocks and units of the input gradient of strided layers. They change the speed; a block also the last bits
/// of layers whose orbits read an element at two taps, so it depends on neither threads, memory nor the batch.
struct GroupFourierAdjointBlocking {
  /// Panels of up to so many channels; and the planes that a unit adds to should not be much larger than the caches.
  private static let mostChannels = 8
  private static let planeBytes = 8 << 20
  /// What products read for a block stays in a second-level cache of 1 to 2 MiB, and what transforms read and write nearly in
  /// one of the first level, whatever memory a call may use.
  private static let blockBytes = 256 << 10
  private static let transformBytes = 104 << 10
  /// Multiples of the register tiles' three vectors.
  private static let sizes = [24, 12, 6, 3]
  /// Transformed gradients are made for so many images at a time that all threads have work.
  private static let chunkBytes = 4 << 20

  /// Vectors of a block.
  let vectors: Int
  /// Blocks of an image.
  let blocks: Int
  /// Images whose gradients are transformed at a time.
  let images: Int

  /// Channels that are computed at a time. Weights are laid out by it, so it depends on what these may depend on.
  static func unit(_ plan: GroupFourierPlan, channels: Int, scalarBytes: Int) -> Int {
    let planes = plan.gather.stencil.inputElements * plan.gather.layout.volume * scalarBytes
    var unit = mostChannels
    while unit > 1 && (unit * planes > planeBytes || 2 * unit > channels + 1) { unit /= 2 }
    return unit
  }

  /// - Parameter vectors: that cover one image.
  init(
    _ plan: GroupFourierPlan, batch: Int, outputs: Int, unit: Int, kernels: Microkernels, scalarBytes: Int,
    vectors: Int, options: PassOptions
  ) {
    let lanes = kernels.lanes * scalarBytes
    let (read, transformed) = (lanes * outputs * plan.outputNumbers, 2 * lanes * unit * plan.mostReadNumbers)
    var size =
      Self.sizes.first { $0 * read <= Self.blockBytes && $0 * transformed <= Self.transformBytes }
      ?? Self.sizes[Self.sizes.count - 1]
    while size > Self.sizes[Self.sizes.count - 1] && size > vectors { size /= 2 }
    self.vectors = min(size, max(vectors, 1))
    blocks = (vectors + self.vectors - 1) / self.vectors
    let image = max(1, outputs * plan.outputNumbers * vectors * lanes)
    images = max(1, min(batch, min(Self.chunkBytes * options.threads, options.workspaceLimit / 2) / image))
  }
}
