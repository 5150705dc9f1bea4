// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

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

/// The space that a space L/S of a subgroup L induces for the whole group: H/S, as one copy of L/S for each point of H/L.
///
/// With r(i) the representative of point i of H/L, every point of H/S is r(i)·q for one i and one point q of L/S. If
/// h·r(i) = r(j)·l then h takes (i, q) to (j, l·q). A signal on L/S becomes one on H/S by extension with zeros
/// along `embedding`; all signals on H/S are sums of those moved by r(i).
public struct Induction: Hashable, Sendable {
  /// H/S.
  public let space: HomogeneousSpace
  /// The point of H/S for each point of L/S; commutes with L.
  public let embedding: [Int]
  /// The point i of H/L for each point of H/S.
  public let cosets: [Int]
  /// The point q of L/S for each point of H/S.
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

  /// The quotient map H/K → H/M, a·K ↦ a·M, for K in M: the index of the target of each point. It commutes with H.
  ///
  /// A mean or maximum over the points of each target is a partial projection, such as that of signals on D_n to signals
  /// on its n rotations, H/M for M = {e, flip}. Reading a signal on H/M through the map embeds it among those on H/K.
  ///
  /// - Parameter target: H/M.
  /// - Throws: `GroupError.differentGroups`; `notASubgroup` if K is not in M.
  /// - Complexity: O(count + |M|).
  public func quotientMap(to target: HomogeneousSpace) throws(GroupError) -> [Int] {
    guard group == target.group else { throw .differentGroups(group.name, target.group.name) }
    try group.checkInclusion(of: stabilizer, in: target.stabilizer)
    return representatives.map(target.coset(of:))
  }
}

extension PointGroup {
  /// Induction from a subgroup L to H of the space L/S.
  ///
  /// - Parameters:
  ///   - subgroup: The elements of L in any order.
  ///   - stabilizer: The elements of S in any order.
  /// - Throws: `GroupError.notASubgroup`, also if S is not in L.
  /// - Complexity: O(|H|·|L|).
  public func induction(from subgroup: [Int], stabilizer: [Int]) throws(GroupError) -> Induction {
    let space = try HomogeneousSpace(group: self, stabilizer: stabilizer)
    let base = try HomogeneousSpace(group: self, stabilizer: subgroup)
    try checkSubgroup(subgroup)
    try checkSubgroup(stabilizer)
    try checkInclusion(of: stabilizer, in: subgroup)
    let embedding = leftTransversal(of: stabilizer, in: base.stabilizer).map(space.coset(of:))
    var cosets = [Int](repeating: 0, count: space.count)
    var points = cosets
    for (i, representative) in base.representatives.enumerated() {
      for (q, point) in embedding.enumerated() {
        let image = space.act(representative, point)
        (cosets[image], points[image]) = (i, q)
      }
    }
    return Induction(space: space, embedding: embedding, cosets: cosets, points: points)
  }

  /// A subgroup as a group of its own: element i is the i-th smallest of the given elements, with its matrix.
  ///
  /// - Parameters:
  ///   - elements: The elements of the subgroup in any order.
  ///   - name: A name, by default, for example, "subgroup(4) of D4".
  /// - Throws: `GroupError.notASubgroup`, `outOfMemory`.
  /// - Complexity: O(|K|² + |H|).
  public func subgroup(_ elements: [Int], name: String? = nil) throws(GroupError) -> PointGroup {
    try checkSubgroup(elements)
    let elements = elements.sorted()
    var numbers = [Int32](repeating: -1, count: order)
    for (number, element) in elements.enumerated() { numbers[element] = Int32(number) }
    let (count, size) = (elements.count, dimension * dimension)
    let matrices = try Table<Double>(count: count * size) { matrixTable[elements[$0 / size] * size + $0 % size] }
    let cayley = try Table<Int32>(count: count * count) { numbers[product(elements[$0 / count], elements[$0 % count])] }
    return PointGroup(
      PointGroupStorage(
        name: name ?? "subgroup(\(count)) of \(self.name)", dimension: dimension, matrices: matrices.frozen(),
        cayley: cayley.frozen()))
  }
}
