// SPDX-License-Identifier: Apache-2.0

extension TileGrid {
  #if EQUICONV_INTERNAL_CHECKS
    /// The outputs of tiles are all of a plane, and no tile is outside it.
    func checkInvariants(_ target: Box) {
      for axis in 0..<3 {
        let size = outputs[axis]
        checkInvariant(
          size > 0 && tiles[axis] * size >= target[axis] && (tiles[axis] - 1) * size < target[axis],
          "tiles cover a plane")
      }
    }
  #else
    @inline(__always)
    func checkInvariants(_ target: Box) {}
  #endif
}
