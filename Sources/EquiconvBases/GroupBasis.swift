// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors

/// Functions on the relative elements d = h⁻¹h' of a point group H, of which kernels on H are linear combinations:
/// k(d) = Σ_i M[d, i] w_i.
public enum GroupBasis: Hashable, Sendable {
  /// One value for each element: M is the identity.
  case full
  /// Values on these elements only, in this order; k is 0 on all others. Columns of M are unit vectors.
  case localized([Int])
  /// Periodic B-splines on the angle θ_r = 2πr/n of the element r of `cyclic(n)`:
  /// M[r, i] = Σ_m β_n((θ_r − c_i + 2πm) / s) for all integers m. Angles and the scale s are in radians.
  ///
  /// Source: Bekkers, "B-Spline CNNs on Lie Groups", ICLR 2020, section 3 and appendix B, for H = SO(2).
  case bSpline(degree: Int, centers: [Double], scale: Double)

  /// Periodic B-splines about `count` angles, 2π/count apart and beginning with 0, as wide as their distance. They add
  /// up to 1.
  ///
  /// - Throws: `BasisError` unless `count` is `1...4096` and the degree `0...5`.
  public static func bSpline(degree: Int, count: Int) throws(BasisError) -> GroupBasis {
    try check(count, in: 1...PointGroup.largestOrder, .count)
    try check(degree, in: 0...largestDegree, .degree)
    let step = 2 * Double.pi / Double(count)
    return .bSpline(degree: degree, centers: (0..<count).map { Double($0) * step }, scale: step)
  }

  /// Throws what is wrong with these functions on any group.
  package func validate() throws(BasisError) {
    switch self {
    case .full: return
    case .localized(let elements):
      let ascending = elements.sorted()
      guard let first = ascending.first, first >= 0, zip(ascending, ascending.dropFirst()).allSatisfy({ $0 != $1 })
      else {
        throw .invalidList(.elements, value: elements, expected: "different numbers of at least 0")
      }
    case .bSpline(let degree, let centers, let scale):
      try checkSplines(degree: degree, centers: centers, scale: scale)
    }
  }

  /// The number I of functions on a group.
  ///
  /// - Throws: What `matrix(for:)` throws.
  public func count(for group: PointGroup) throws(BasisError) -> Int {
    switch self {
    case .full:
      return group.order
    case .localized(let elements):
      try checkElements(elements, of: group)
      return elements.count
    case .bSpline(let degree, let centers, let scale):
      try checkSplines(degree: degree, centers: centers, scale: scale)
      guard group.isPlanarCyclic else {
        throw .wrongGroup(name: group.name, expected: "cyclic(n), whose elements are angles")
      }
      return centers.count
    }
  }

  /// One entry of the matrix for a group, for which `count(for:)` did not throw.
  package func value(element r: Int, function i: Int, order: Int) -> Double {
    switch self {
    case .full: return r == i ? 1 : 0
    case .localized(let elements): return elements[i] == r ? 1 : 0
    case .bSpline(let degree, let centers, let scale):
      return periodicSpline(2 * Double.pi * Double(r) / Double(order) - centers[i], degree: degree, scale: scale)
    }
  }

  /// The matrix M, |H| rows of I coefficients.
  ///
  /// - Throws: `BasisError` if `localized` is empty or has an element outside the group or twice; for `bSpline`, if the
  ///   group is not `cyclic(n)`, the degree is not `0...5`, there are no centers or one is not finite, or the scale is
  ///   not in (0, 2π].
  /// - Complexity: O(|H| · I).
  public func matrix(for group: PointGroup) throws(BasisError) -> [[Double]] {
    let count = try count(for: group)
    return (0..<group.order).map { r in (0..<count).map { value(element: r, function: $0, order: group.order) } }
  }

  /// The elements on which some function is not 0, in increasing order: the support of every kernel.
  ///
  /// - Throws: What `matrix(for:)` throws.
  public func elements(for group: PointGroup) throws(BasisError) -> [Int] {
    let count = try count(for: group)
    return (0..<group.order).filter { r in
      (0..<count).contains { value(element: r, function: $0, order: group.order) != 0 }
    }
  }
}

private func checkElements(_ elements: [Int], of group: PointGroup) throws(BasisError) {
  var isThere = [Bool](repeating: false, count: group.order)
  var isList = !elements.isEmpty
  for element in elements where isList {
    isList = 0 <= element && element < group.order && !isThere[element]
    if isList { isThere[element] = true }
  }
  guard isList else {
    throw .invalidList(
      .elements, value: elements, expected: "one or more different elements, 0...\(group.order - 1)")
  }
}

private func checkSplines(degree: Int, centers: [Double], scale: Double) throws(BasisError) {
  try check(degree, in: 0...largestDegree, .degree)
  guard scale > 0, scale <= 2 * Double.pi else {
    throw .invalidNumber(.scale, value: scale, expected: "an angle in radians, above 0 and at most 2π")
  }
  guard !centers.isEmpty else { throw .wrongCount(.centers, count: 0, expected: "one center or more") }
  for (i, center) in centers.enumerated() where !center.isFinite {
    throw .invalidNumber(.centers[i], value: center, expected: "a finite angle in radians")
  }
}

/// Σ_m β_n((angle + 2πm) / scale).
private func periodicSpline(_ angle: Double, degree: Int, scale: Double) -> Double {
  let turn = 2 * Double.pi
  let reduced = angle.remainder(dividingBy: turn)
  // The reduced angle is at most half a turn, and β_n is 0 beyond (n+1)/2.
  let turns = Int((Double(degree + 1) / 2 * scale / turn + 0.5).rounded(.up))
  return (-turns...turns).reduce(0) { $0 + cardinalBSpline((reduced + Double($1) * turn) / scale, degree: degree) }
}
