// SPDX-License-Identifier: Apache-2.0

/// One way to compute a pass: an algorithm with the size of its tiles. Algorithms name theirs in extensions.
package struct Method: Hashable, Sendable {
  package let algorithm: Algorithm
  /// Outputs or points of a tile on each axis, as the algorithm counts them; 0 without tiles.
  package let tile: Int

  init(_ algorithm: Algorithm, tile: Int) {
    self.algorithm = algorithm
    self.tile = tile
  }
}
