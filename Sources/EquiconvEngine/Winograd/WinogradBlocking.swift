// SPDX-License-Identifier: Apache-2.0

/// Sizes of the blocks of a Winograd pass, and why. They change the speed, never the numbers.
struct WinogradBlocking: Sendable {
  /// Bytes that the points of a block's inputs, and of their products, should have. Inputs are read once for each
  /// `productBytes` of products and these once, so that it hardly matters that both do not fit a second-level cache of 1 MiB;
  /// smaller blocks read the weights more often.
  private static let inputBytes = 768 << 10
  private static let productBytes = 384 << 10
  /// Vectors of a register tile of `multiply`.
  private static let tileVectors = 3
  private static let mostVectors = 24
  /// Below so many blocks for each thread, threads get as many.
  private static let fewBlocksPerThread = 8

  /// Planes (c,e) read and planes (o,p) computed.
  let sourcePlanes: Int
  let targetPlanes: Int
  /// Vectors of tiles of the largest block.
  let blockVectors: Int
  /// Planes summed at a time. Only where the memory is too small for all are there several chunks.
  let planeChunk: Int
  /// Outputs computed at a time: whole panels.
  let outputBlock: Int
  let blocks: Int
  let allVectors: Int

  init(
    _ tiling: WinogradTiling, sourcePlanes: Int, targetPlanes: Int, widestPanel: Int, scalarBytes: Int, threads: Int,
    workspaceLimit: Int
  ) {
    self.sourcePlanes = sourcePlanes
    self.targetPlanes = targetPlanes
    allVectors = tiling.vectors
    /// Bytes of one plane's vector at all points.
    let plane = tiling.points * tiling.points * tiling.lanes * scalarBytes
    let fitting = Self.inputBytes / plane / max(sourcePlanes, 1) / Self.tileVectors * Self.tileVectors
    var vectors = min(max(fitting, Self.tileVectors), Self.mostVectors, max(allVectors, 1))
    var outputs = min(targetPlanes, max(1, Self.productBytes / (plane * vectors * widestPanel)) * widestPanel)
    var planes = sourcePlanes
    var isTooLarge: Bool { planes + outputs > workspaceLimit / plane / vectors }
    while vectors > 1 && isTooLarge { vectors -= 1 }
    while outputs > widestPanel && isTooLarge { outputs = max(1, outputs / 2 / widestPanel) * widestPanel }
    while planes > 1 && isTooLarge { planes = (planes + 1) / 2 }
    (blockVectors, outputBlock, planeChunk) = (vectors, outputs, planes)
    // Blocks of nearly one size, as many for each thread.
    let fewest = (allVectors + blockVectors - 1) / blockVectors
    blocks =
      fewest < Self.fewBlocksPerThread * threads ? min(allVectors, (fewest + threads - 1) / threads * threads) : fewest
    checkInvariants()
  }

  /// The vectors of one block.
  func vectors(of block: Int) -> Range<Int> { start(block)..<start(block + 1) }

  private func start(_ block: Int) -> Int {
    let (each, rest) = allVectors.quotientAndRemainder(dividingBy: max(blocks, 1))
    return block * each + min(block, rest)
  }
}
