// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

/// The sizes of a signal after g has turned it.
public func turned(_ spatial: Extents, by g: Int, _ group: PointGroup) -> Extents {
  let d = group.dimension
  let matrix = group.matrix(g)
  // Coordinate i lies along array axis d − 1 − i.
  return Extents(
    (0..<d).map { axis in spatial[d - 1 - (0..<d).first { matrix[(d - 1 - axis) * d + $0] != 0 }!] })
}

/// L_g of a signal by the engine.
public func act<S: EngineScalar>(
  _ group: PointGroup, _ g: Int, on space: SignalSpace, batch: Int, channels: Int, spatial: Extents, _ signal: [S]
) throws -> [S] {
  var result = [S](repeating: .nan, count: signal.count)
  try signal.withPointer { input in
    try result.withMutablePointer {
      try act(
        group, element: g, on: space, batch: batch, channels: channels, spatial: spatial, input: input, output: $0)
    }
  }
  return result
}

/// L_g of a signal by its definition, `(L_g f)(x) = f(g⁻¹x)` and `(L_g f)(h', x) = f(g⁻¹h', g⁻¹x)`, with matrices that
/// act on x = column, y = −row, z = −depth about the center of the array.
public func naiveAct<S: EngineScalar>(
  _ group: PointGroup, _ g: Int, on space: SignalSpace, spatial: Extents, _ signal: [S]
) -> [S] {
  let d = group.dimension
  let size = turned(spatial, by: g, group)
  let elements = space == .group ? group.order : 1
  let volume = spatial.product
  let inverse = group.matrix(group.inverse(g))
  var result: [S] = []
  for plane in 0..<signal.count / max(volume, 1) {
    let h = plane % elements
    let source = space == .group ? plane - h + group.product(group.inverse(g), h) : plane
    for pixel in 0..<volume {
      let point = coordinates(pixel, size)
      let image = (0..<d).map { row in (0..<d).reduce(0) { $0 + Int(inverse[row * d + $1]) * point[$1] } }
      result.append(signal[source * volume + index(image, spatial)])
    }
  }
  return result
}

/// Twice the coordinates (x, y, z) of a pixel about the center.
private func coordinates(_ pixel: Int, _ size: Extents) -> [Int] {
  var (rest, position) = (pixel, [Int](repeating: 0, count: size.count))
  for axis in size.indices.reversed() {
    position[axis] = 2 * (rest % size[axis]) - (size[axis] - 1)
    rest /= size[axis]
  }
  return (0..<size.count).map { i in (i == 0 ? 1 : -1) * position[size.count - 1 - i] }
}

/// The row-major index of the pixel with these doubled coordinates.
private func index(_ point: [Int], _ size: Extents) -> Int {
  size.indices.reduce(0) { index, axis in
    let i = size.count - 1 - axis
    return index * size[axis] + ((i == 0 ? 1 : -1) * point[i] + size[axis] - 1) / 2
  }
}
