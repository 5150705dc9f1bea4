// SPDX-License-Identifier: Apache-2.0

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
}

extension Induction: CustomStringConvertible {
  /// For example "induction to 8 points D4/[0], from 4".
  public var description: String { "induction to \(space), from \(embedding.count)" }
}
