// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import Testing
import _EquiconvTestSupport

/// A look at a point meets the functions near it, not all functions of a basis, and leaves none out.
@Suite struct LocalSupportTests {
  private static let grids = [[1], [6], [40], [1, 1], [9, 9], [5, 12], [2, 3, 4], [7, 6, 5]]

  private static func points(_ d: Int, _ random: inout SplitMix64) throws -> [[Double]] {
    // Among them points where a support ends, and the last numbers before and after.
    let edges = try tapPoints(extents: [Int](repeating: 4, count: d)).flatMap { u in
      [u, u.map { $0 * 2 }, u.map { $0 + 0.5 }, u.map { ($0 + 0.5).nextUp }, u.map { $0.nextDown }]
    }
    return edges + random.points(60, dimension: d, bound: 7) + random.points(3, dimension: d, bound: 1e6)
  }

  /// B = Π_axis φ(u_axis − tap_axis) over all taps, multiplied from the last axis of the array to the first.
  @Test(arguments: Interpolation.allCases, grids)
  func pixels_areTheWholeTensorProductToTheBit(interpolation: Interpolation, extents: [Int]) throws {
    let basis = KernelBasis.pixel(try PixelBasis(extents: extents, interpolation: interpolation))
    let taps = try tapPoints(extents: extents)
    var random = SplitMix64(seed: 41)
    for u in try Self.points(extents.count, &random) {
      let expected = taps.map { tap in zip(u, tap).reduce(1) { interpolation.weight($1.0 - $1.1) * $0 } }
      #expect(firstDifference(sampling(of: basis, at: [u]), expected) == nil, "\(u)")
      #expect(expected.count { $0 != 0 } <= basis.mostFunctionsAtPoint)
    }
  }

  /// The same with the factors of the axes x, y, z in this order, about centers in any order.
  @Test(arguments: 0...5, grids)
  func splines_areTheWholeTensorProductToTheBit(degree: Int, extents: [Int]) throws {
    let d = extents.count
    var random = SplitMix64(seed: 42)
    for basis in try Self.splines(extents, degree, &random) {
      for u in try Self.points(d, &random) {
        let expected = basis.centers.map { center in
          zip(u, center).reduce(1) { $0 * cardinalBSpline(($1.0 - $1.1) / basis.scale, degree: degree) }
        }
        #expect(firstDifference(sampling(of: .bSpline(basis), at: [u]), expected) == nil, "\(u)")
      }
    }
  }

  private static func splines(
    _ extents: [Int], _ degree: Int, _ random: inout SplitMix64
  ) throws -> [BSplineBasis] {
    let centers = random.points(37, dimension: extents.count, bound: 5)
    return [
      try .dense(extents: extents, degree: degree), try .dense(extents: extents, degree: degree, scale: 1.3),
      try .atrous(extents: extents, degree: degree, spacing: 2),
      try .round(extents: extents, degree: degree, radius: 3),
      try BSplineBasis(
        dimension: extents.count, degree: degree, centers: centers, scale: 0.8, extents: extents),
    ]
  }

  /// Pixels: those that may differ from 0 along each axis, and one more where a support ends on a tap. Splines: those, and what
  /// else is in their boxes.
  @Test(arguments: [7, 31, 63, 127, 255])
  func functionsLookedAt_doNotGrowWithTheKernel(extent: Int) throws {
    var random = SplitMix64(seed: 43)
    let square = [extent, extent]
    let cases: [(basis: KernelBasis, most: Int)] = [
      (.pixel(try PixelBasis(extents: square)), 9),
      (.pixel(try PixelBasis(extents: square, interpolation: .bicubic)), 25),
      (.bSpline(try .dense(extents: square, degree: 1)), 64),
      (.bSpline(try .dense(extents: square, degree: 3)), 80),
      (.bSpline(try .atrous(extents: square, degree: 3, spacing: 2)), 48),
      (.bSpline(try .round(extents: square, degree: 3)), 80),
      (.pixel(try PixelBasis(extents: [extent, 2, 2])), 12),
    ]
    for (basis, most) in cases {
      var found = LocalValues()
      let bound = Double(extent) / 2
      for u in random.points(300, dimension: basis.dimension, bound: bound) {
        try basis.find(at: u, into: &found)
        #expect(found.count <= most, "\(basis) at \(u)")
        #expect(zip(found.elements, found.elements.dropFirst()).allSatisfy { $0.function < $1.function })
      }
    }
  }
}
