// SPDX-License-Identifier: Apache-2.0

/// A grid of outputs: every `step`-th number of a destination plane, from `start` on.
///
/// The forward pass has one grid, the whole output; the input gradient of a strided layer has one for each phase.
struct OutputGrid: Sendable {
  let size: Box
  let start: Box
  let step: Box
  /// Sizes of the destination plane.
  let plane: Box

  /// Whether its outputs are neighbors in the destination, from the first to the last.
  var isContiguous: Bool {
    step.x == 1 && (size.x == plane.x && step.y == 1 || size.y == 1)
      && (size.x == plane.x && size.y == plane.y && step.z == 1 || size.z == 1)
  }

  @inline(__always)
  func destination(z: Int, y: Int, x: Int) -> Int {
    ((start.z + step.z * z) * plane.y + start.y + step.y * y) * plane.x + start.x + step.x * x
  }
}
