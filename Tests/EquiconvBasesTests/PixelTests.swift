// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Values on the grid of taps and what is between them.
@Suite struct PixelTests {
  static let grids = [
    [1], [2], [5], [8], [1, 1], [3, 3], [4, 4], [5, 2], [6, 7], [3, 3, 3], [2, 2, 2], [2, 3, 5],
  ]

  static func basis(_ extents: [Int], _ interpolation: Interpolation) throws -> KernelBasis {
    .pixel(try PixelBasis(extents: extents, interpolation: interpolation))
  }

  @Test(arguments: Interpolation.allCases, grids)
  func values_areReproducedAtTaps(interpolation: Interpolation, extents: [Int]) throws {
    let basis = try Self.basis(extents, interpolation)
    let points = try tapPoints(extents: extents)
    #expect(points.count == basis.count && basis.shape == extents && basis.dimension == extents.count)
    let identity = (0..<points.count * points.count).map { $0 / points.count == $0 % points.count ? 1.0 : 0 }
    #expect(firstDifference(sampling(of: basis, at: points), identity) == nil)
  }

  @Test(arguments: Interpolation.allCases)
  func values_outsideTheGridAreZero(interpolation: Interpolation) throws {
    let basis = try Self.basis([4, 3], interpolation)
    let outside = try tapPoints(extents: [10, 9]).filter { abs($0[0]) > 1 || abs($0[1]) > 1.5 }
    #expect(outside.count == 90 - 12)
    #expect(sampling(of: basis, at: outside).allSatisfy { $0 == 0 })
  }

  /// The indices of taps are counted here from positions in the array, not from coordinates.
  @Test(arguments: [Interpolation.bilinear, .bicubic], grids)
  func betweenTaps_isTheFormula(interpolation: Interpolation, extents: [Int]) throws {
    let basis = try Self.basis(extents, interpolation)
    var random = SplitMix64(seed: 1)
    let points = random.points(50, dimension: extents.count, bound: 5)
    let expected = matrix(points, count: basis.count) { j, u in
      tensor(j, u, extents) { interpolation == .bilinear ? max(0, 1 - abs($0)) : keys(abs($0)) }
    }
    #expect(distance(sampling(of: basis, at: points), expected) < 1e-14)
  }

  /// A cubic spline with knots at 61 taps around, its coefficients from the dense system of its values.
  @Test(arguments: [[5], [4], [3, 4], [2, 3, 3]])
  func splineBetweenTaps_isTheSplineOfTheZeroExtendedValues(extents: [Int]) throws {
    let basis = try Self.basis(extents, .bSpline3)
    let knots = (-30...30).map(Double.init)
    let system = knots.map { x in knots.map { truncatedPowers(x - $0, 3) } }
    let coefficients = solve(system, knots.map { $0 == 0 ? 1 : 0 })
    let cardinal = { t in zip(coefficients, knots).reduce(0) { $0 + $1.0 * truncatedPowers(t - $1.1, 3) } }
    var random = SplitMix64(seed: 2)
    let points = random.points(30, dimension: extents.count, bound: 6)
    let expected = matrix(points, count: basis.count) { j, u in tensor(j, u, extents, cardinal) }
    // Truncated powers of arguments up to 30 lose five digits, the solve one more.
    #expect(distance(sampling(of: basis, at: points), expected) < 1e-9)
  }

  /// Inside, weights of constants, and where the order of the method says so of higher powers, add up to them.
  @Test(arguments: [(Interpolation.bilinear, 1), (.bicubic, 2), (.bSpline3, 3)])
  func polynomials_areReproducedInside(interpolation: Interpolation, degree: Int) throws {
    // The tails of the spline fall by 0.27 a tap: after 30 taps to 10⁻¹⁷.
    let basis = try Self.basis([65], interpolation)
    let taps = try tapPoints(extents: [65])
    for x in stride(from: -2.0, to: 2, by: 0.17) {
      let row = sampling(of: basis, at: [[x]])
      for power in 0...degree {
        let raised = { (t: Double) in (0..<power).reduce(1.0) { product, _ in product * t } }
        #expect(abs(zip(row, taps).reduce(0) { $0 + $1.0 * raised($1.1[0]) } - raised(x)) < 1e-11)
      }
    }
  }

  @Test(arguments: Interpolation.allCases, [[4, 4], [5, 5], [3, 3, 3], [4, 4, 4]])
  func samplingMatrices_ofLatticeElementsArePermutations(interpolation: Interpolation, extents: [Int]) throws {
    let basis = try Self.basis(extents, interpolation)
    let taps = try tapPoints(extents: extents)
    let groups = extents.count == 2 ? [try PointGroup.cyclic(4), try .dihedral(4)] : [.octahedral, .fullOctahedral]
    for group in groups {
      for h in 0..<group.order {
        let inverse = group.matrix(group.inverse(h))
        let turned = taps.map { apply(inverse, $0) }
        // Where h⁻¹ takes each tap, found by comparing points.
        let sources = turned.map { taps.firstIndex(of: $0)! }
        let permutation = sources.flatMap { source in taps.indices.map { $0 == source ? 1.0 : 0 } }
        #expect(Set(sources).count == taps.count)
        #expect(firstDifference(sampling(of: basis, at: turned), permutation) == nil, "\(group) \(h)")
      }
    }
  }

  /// Rotation by +90° is `numpy.rot90`: the top right value goes to the top left.
  @Test func quarterTurn_turnsArraysCounterClockwise() throws {
    let basis = try Self.basis([3, 3], .bilinear)
    let c4 = try PointGroup.cyclic(4)
    let turned = try tapPoints(extents: [3, 3]).map { apply(c4.matrix(3), $0) }
    let s = sampling(of: basis, at: turned)
    let values = (0..<9).map { row in (0..<9).reduce(0) { $0 + s[row * 9 + $1] * Double($1) } }
    #expect(values == [2, 5, 8, 1, 4, 7, 0, 3, 6])
  }

  /// Between taps too, a quarter turn of the point permutes the numbers without changing a bit.
  @Test(arguments: Interpolation.allCases, [4, 5])
  func quarterTurns_permuteBits(interpolation: Interpolation, k: Int) throws {
    let basis = try Self.basis([k, k], interpolation)
    let turn = try PointGroup.cyclic(4).matrix(1)
    let taps = try tapPoints(extents: [k, k])
    let images = taps.map { taps.firstIndex(of: apply(turn, $0))! }
    var random = SplitMix64(seed: 3)
    for u in random.points(50, dimension: 2, bound: 3) {
      let (row, turned) = (sampling(of: basis, at: [u]), sampling(of: basis, at: [apply(turn, u)]))
      #expect(firstDifference(images.map { turned[$0] }, row) == nil)
    }
  }
}

/// Π_axis φ(position of u along the axis − index of tap j), positions being those of array axes.
private func tensor(_ j: Int, _ u: [Double], _ extents: [Int], _ phi: (Double) -> Double) -> Double {
  let d = extents.count
  var (rest, product) = (j, 1.0)
  for axis in (0..<d).reversed() {
    let center = Double(extents[axis] - 1) / 2
    let position = axis == d - 1 ? center + u[0] : center - u[d - 1 - axis]
    product *= phi(position - Double(rest % extents[axis]))
    rest /= extents[axis]
  }
  return product
}

/// Keys' kernel for any a, here −1/2, as the paper writes it.
private func keys(_ s: Double) -> Double {
  let a = -0.5
  if s <= 1 { return (a + 2) * s * s * s - (a + 3) * s * s + 1 }
  return s < 2 ? a * s * s * s - 5 * a * s * s + 8 * a * s - 4 * a : 0
}
