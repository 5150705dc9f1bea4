// SPDX-License-Identifier: Apache-2.0

/// One integer for each of exactly three axes (depth, row, column), as the passes count: missing leading axes are 1 or 0.
struct Box: Hashable, Sendable {
  var z: Int
  var y: Int
  var x: Int

  init(z: Int, y: Int, x: Int) {
    self.z = z
    self.y = y
    self.x = x
  }

  /// The extents, with `leading` on the axes that they lack.
  init(_ extents: Extents, leading: Int) {
    x = extents[extents.count - 1]
    y = extents.count > 1 ? extents[extents.count - 2] : leading
    z = extents.count > 2 ? extents[0] : leading
  }

  subscript(axis: Int) -> Int {
    get { axis == 0 ? z : axis == 1 ? y : x }
    set { if axis == 0 { z = newValue } else if axis == 1 { y = newValue } else { x = newValue } }
  }

  var volume: Int { z * y * x }

  /// Applies `transform` to each axis.
  func map(_ transform: (Int) -> Int) -> Box { Box(z: transform(z), y: transform(y), x: transform(x)) }

  /// The place in 0 ..< size of a coordinate on a periodic axis.
  static func wrapped(_ coordinate: Int, _ size: Int) -> Int {
    let remainder = coordinate % size
    return remainder < 0 ? remainder + size : remainder
  }
}
