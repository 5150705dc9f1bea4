// SPDX-License-Identifier: Apache-2.0

/// One orbit of a subgroup L in a homogeneous space H/K, as the space L/S that it is.
public struct RestrictedOrbit: Hashable, Sendable {
  /// The smallest point a·K of the orbit.
  public let representative: Int
  /// The stabilizer S = L ∩ aKa⁻¹ of the representative, ascending, with the elements of L numbered as in H.
  public let stabilizer: [Int]
  /// The point of H/K for each left coset l·S of L, in the numbering of L/S by first appearance; `[0]` is the
  /// representative.
  public let points: [Int]
}

extension HomogeneousSpace {
  /// Restriction to a subgroup L: the points as the disjoint union of orbits L/S, by smallest point.
  ///
  /// A signal on H/K read at `points` of each orbit is a list of signals on the spaces L/S, and acting by L before
  /// or after reading is the same (Mackey's decomposition of the double cosets L\H/K).
  ///
  /// - Parameter subgroup: The elements of L in any order.
  /// - Throws: `GroupError.notASubgroup`.
  /// - Complexity: O(|L| · count + |L|²).
  public func restriction(to subgroup: [Int]) throws(GroupError) -> [RestrictedOrbit] {
    try group.checkSubgroup(subgroup)
    let subgroup = subgroup.sorted()
    return orbits(of: subgroup).map { orbit in
      let stabilizer = stabilizer(of: orbit[0], in: subgroup)
      let cosets = group.leftTransversal(of: stabilizer, in: subgroup)
      return RestrictedOrbit(
        representative: orbit[0], stabilizer: stabilizer, points: cosets.map { act($0, orbit[0]) })
    }
  }
}

extension RestrictedOrbit: CustomStringConvertible {
  /// For example "orbit of the point 0, 4 points".
  public var description: String {
    "orbit of the point \(representative), \(points.count) point\(points.count == 1 ? "" : "s")"
  }
}
