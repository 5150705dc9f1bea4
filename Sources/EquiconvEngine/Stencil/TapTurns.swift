// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

/// How the lattice elements of H permute the taps of a kernel about its center.
struct TapTurns {
  let group: PointGroup
  let taps: Int
  private let dilation: Box
  private let kernel: Box
  private let dimension: Int

  init(group: PointGroup, geometry: Geometry) {
    self.group = group
    taps = geometry.taps
    kernel = geometry.kernel
    dilation = geometry.dilation
    dimension = group.dimension
  }

  /// Where the tap `v` (row-major index) lands under `h`: dilated grid positions, 0..<reach on each axis.
  func position(of v: Int, turnedBy h: Int) -> Box {
    let turned = self.turned(v, by: h)
    return Box(z: turned.z * dilation.z, y: turned.y * dilation.y, x: turned.x * dilation.x)
  }

  /// The row-major index of h·v.
  func tap(_ v: Int, turnedBy h: Int) -> Int {
    let turned = self.turned(v, by: h)
    return (turned.z * kernel.y + turned.y) * kernel.x + turned.x
  }

  private func turned(_ v: Int, by h: Int) -> Box {
    let tap = Box(z: v / (kernel.y * kernel.x), y: v / kernel.x % kernel.y, x: v % kernel.x)
    guard let action = group.axisAction(h) else { return tap }
    var turned = tap
    let first = 3 - dimension
    for axis in 0..<dimension {
      // Twice the coordinate about the center, so that even kernels, centered between taps, stay integral.
      let source = first + action.axis(axis)
      let coordinate = action.sign(axis) * (2 * tap[source] - (kernel[source] - 1))
      turned[first + axis] = (coordinate + kernel[first + axis] - 1) / 2
    }
    return turned
  }
}
