// SPDX-License-Identifier: Apache-2.0

/// The tiles of a method.
package struct Tile: Hashable, Sendable {
  /// Outputs or points on each axis, as the algorithm counts them; 0 without tiles.
  package let size: Int
  /// Whether the tiles of each output element lie in the plane as that element sees it: then turning the signal
  /// exchanges them, and nothing else.
  package let isTurned: Bool

  package init(_ size: Int, isTurned: Bool = false) {
    self.size = size
    self.isTurned = isTurned
  }
}

extension Tile: ExpressibleByIntegerLiteral {
  package init(integerLiteral size: Int) { self.init(size) }
}
