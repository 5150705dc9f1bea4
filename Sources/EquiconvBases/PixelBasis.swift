// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory

/// Values of the kernel on the grid of taps, interpolated: B_j(u) = Π_axis φ(u_axis − tap_j,axis).
///
/// Coefficients are in row-major order of the array. Values at the taps of the lattice outside the grid count as zero,
/// so near its border the kernel falls off to zero within one tap (`bilinear`) or two (`bicubic`); `bSpline3` is the
/// spline through the values and through these zeros. At the taps B is exactly 1 or 0 for each interpolation.
public struct PixelBasis: Hashable, Sendable {
  /// The taps k along each array axis.
  public let extents: [Int]

  /// How values continue between the taps.
  public let interpolation: Interpolation

  /// The basis on a grid.
  ///
  /// - Parameters:
  ///   - extents: The taps along each array axis, odd or even: (width), (height, width) or (depth, height, width).
  ///   - interpolation: How values continue between the taps.
  /// - Throws: `BasisError` unless there are 1, 2 or 3 positive extents with fewer than 2³¹ taps.
  public init(extents: [Int], interpolation: Interpolation = .bilinear) throws(BasisError) {
    try checkExtents(extents)
    self.extents = extents
    self.interpolation = interpolation
  }
}

extension PixelBasis: BasisFamily {
  /// The number of axes.
  public var dimension: Int { extents.count }

  /// The number of taps.
  public var count: Int { extents.reduce(1, *) }

  /// The extents.
  public var shape: [Int] { extents }

  /// Taps nearer than the reach of the interpolation, on every axis.
  var mostFunctionsAtPoint: Int { extents.reduce(1) { $0 * min($1, 2 * Int(interpolation.reach)) } }

  func find(at u: UnsafePointer<Double>, into found: inout LocalValues) throws(BasisError) {
    let axes = ArrayAxes(count: extents.count)
    // The products over the axes done so far, the last one first.
    found.removeAll()
    try found.append(LocalValue(function: 0, value: 1))
    var step = 1
    for i in extents.indices {
      let (k, x) = (extents[axes.counterpart(i)], u[i])
      let direction = axes.direction(ofCoordinate: i)
      let taps = interpolation.taps(near: direction > 0 ? x : 0 - x, extent: k)
      if taps.isEmpty { return found.removeAll() }
      let done = found.count
      for _ in done..<done * taps.count { try found.append(LocalValue(function: 0, value: 0)) }
      for tap in taps.reversed() {
        // Differences of coordinates, not of array positions: a reflected point then gives the same numbers reflected.
        let factor = interpolation.weight(x - tapCoordinate(tap, extent: k, direction: direction))
        // The products that are multiplied last are those that are overwritten.
        for j in 0..<done {
          let product = found[j]
          found[(tap - taps.lowerBound) * done + j] = LocalValue(
            function: tap * step + product.function, value: factor * product.value)
        }
      }
      step *= k
    }
  }
}
