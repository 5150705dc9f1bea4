// SPDX-License-Identifier: Apache-2.0

/// One way to compute a pass: an algorithm with the size of its tiles. Algorithms name theirs in extensions.
package struct Method: Hashable, Sendable {
  package let algorithm: Algorithm
  package let tile: Tile

  init(_ algorithm: Algorithm, tile: Tile) {
    self.algorithm = algorithm
    self.tile = tile
  }
}
