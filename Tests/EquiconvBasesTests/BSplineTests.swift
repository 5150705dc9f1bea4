// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// B-splines in space.
@Suite struct BSplineTests {
  @Test(arguments: 1...5, 1...3)
  func functions_areProductsOfTruncatedPowers(degree: Int, dimension: Int) throws {
    var random = SplitMix64(seed: 1)
    let centers = random.points(7, dimension: dimension, bound: 2)
    let scale = 1.3
    let basis = KernelBasis.bSpline(
      try BSplineBasis(
        dimension: dimension, degree: degree, centers: centers, scale: scale,
        extents: [Int](repeating: 5, count: dimension)))
    let points = random.points(60, dimension: dimension, bound: 4)
    let expected = matrix(points, count: 7) { j, u in
      zip(u, centers[j]).reduce(1) { $0 * truncatedPowers(($1.0 - $1.1) / scale, degree) }
    }
    #expect(basis.shape == [7] && basis.dimension == dimension)
    // Truncated powers cancel from (6^5) (6 choose 3) / 5! downwards.
    #expect(distance(sampling(of: basis, at: points), expected) < 1e-12)
  }

  /// β_n at whole and half numbers: tables of de Boor's book and Unser's review.
  @Test func knownValues() throws {
    let value = { (degree: Int, t: Double) throws in
      let basis = try BSplineBasis(dimension: 1, degree: degree, centers: [[0]], extents: [1])
      return sampling(of: .bSpline(basis), at: [[t]])[0]
    }
    #expect(try value(0, 0.49) == 1 && value(0, 0.5) == 0.5 && value(0, 0.51) == 0)
    #expect(try value(1, 0) == 1 && value(1, 0.5) == 0.5 && value(1, 1) == 0)
    #expect(try value(2, 0) == 0.75 && value(2, 1) == 0.125 && value(2, 1.5) == 0)
    #expect(try abs(value(3, 0) - 2 / 3.0) < 1e-15 && abs(value(3, -1) - 1 / 6.0) < 1e-15 && value(3, 2) == 0)
    #expect(try abs(value(4, 0) - 115 / 192.0) < 1e-15 && abs(value(5, 0) - 11 / 20.0) < 1e-15)
  }

  @Test(arguments: 0...5, [1.0, 0.5, 0.1, 2, 1.7])
  func dense_addsUpToOne(degree: Int, scale: Double) throws {
    let dense = try BSplineBasis.dense(extents: [15], degree: degree, scale: scale)
    let outermost = dense.centers.map { $0[0] }.max()!
    let reach = outermost - scale * Double(degree - 1) / 2
    guard reach > 0 else { return }
    for i in -20...20 {
      let u = reach * Double(i) / 20 * 0.9999
      #expect(abs(sampling(of: .bSpline(dense), at: [[u]]).reduce(0, +) - 1) < 1e-13, "\(u)")
    }
    if reach + 2 * scale > outermost {
      #expect(sampling(of: .bSpline(dense), at: [[reach + scale]]).reduce(0, +) < 1)
    }
  }

  /// Rounding a point next to a knot to either side of it changes nothing that can be seen.
  @Test(arguments: 1...5)
  func knots_areCrossedContinuously(degree: Int) throws {
    let basis = KernelBasis.bSpline(try BSplineBasis(dimension: 1, degree: degree, centers: [[0]], extents: [1]))
    for knot in stride(from: -Double(degree + 1) / 2, through: Double(degree + 1) / 2, by: 0.5) {
      let near = [-1e-16, -6e-17, -1e-17, 0, 1e-17, 6e-17, 1e-16, 3e-16].map { [knot + $0] }
      let values = sampling(of: basis, at: near)
      #expect(values.max()! - values.min()! < 1e-15, "\(knot)")
    }
  }

  @Test(arguments: [[9, 9], [8, 10], [7, 7, 7]])
  func dense_addsUpToOneInAllDimensions(extents: [Int]) throws {
    let dense = KernelBasis.bSpline(try BSplineBasis.dense(extents: extents, degree: 3))
    #expect(dense.count == extents.reduce(1, *) && dense.extents == extents)
    var random = SplitMix64(seed: 2)
    for u in random.points(20, dimension: extents.count, bound: 2) {
      #expect(abs(sampling(of: dense, at: [u]).reduce(0, +) - 1) < 1e-14)
    }
  }

  @Test func centers_areWhereTheyAreSaidToBe() throws {
    #expect(try BSplineBasis.dense(extents: [3, 4], degree: 2).centers == tapPoints(extents: [3, 4]))
    #expect(try BSplineBasis.dense(extents: [5], degree: 2, scale: 2).centers == [[-2], [0], [2]])
    let atrous = try BSplineBasis.atrous(extents: [4, 5], degree: 1, spacing: 2)
    #expect(atrous.centers == [[-2, 1], [0, 1], [2, 1], [-2, -1], [0, -1], [2, -1]] && atrous.scale == 1)
    #expect(try BSplineBasis.dense(extents: [2], degree: 1, scale: 0.1).count == 11)
    #expect(
      try BSplineBasis.round(extents: [5, 5], degree: 3).centers == [[0, 1], [-1, 0], [0, 0], [1, 0], [0, -1]])
    #expect(try BSplineBasis.round(extents: [5, 5], degree: 3, radius: 2).count == 13)
    #expect(try BSplineBasis.round(extents: [2, 2], degree: 3).count == 4)
    #expect(try BSplineBasis.round(extents: [7, 7, 7], degree: 3, radius: 1).count == 7)
  }

  /// Round sets of cubic splines on 7 × 7 taps change by at most 1 % of the response under a rotation by 45°.
  @Test func round_isNearlyEquivariant() throws {
    let basis = KernelBasis.bSpline(try .round(extents: [7, 7], degree: 3))
    #expect(try equivarianceError(basis, degrees: 45, band: 0.4) < 0.01)
    #expect(try equivarianceError(basis, degrees: 22.5, band: 0.4) < 0.01)
  }
}
