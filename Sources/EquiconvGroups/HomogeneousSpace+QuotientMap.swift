// SPDX-License-Identifier: Apache-2.0

extension HomogeneousSpace {
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
