// SPDX-License-Identifier: Apache-2.0

extension PointGroup {
  /// The number of the left coset a·K that each element a lies in, numbered by first appearance; `[0]` is 0.
  ///
  /// - Parameter subgroup: The elements of K in any order.
  /// - Throws: `GroupError.notASubgroup`, also if a truncated set does not have all of a coset.
  /// - Complexity: O(|H| + |K|²), O(|H|·|K|) for a truncated set.
  public func leftCosets(of subgroup: [Int]) throws(GroupError) -> [Int] {
    try checkSubgroup(subgroup)
    try checkCosets(of: subgroup)
    var cosets = [Int](repeating: -1, count: order)
    for (number, representative) in leftTransversal(of: subgroup, in: Array(0..<order)).enumerated() {
      for element in subgroup { cosets[product(representative, element)] = number }
    }
    return cosets
  }

  /// The smallest element of each left coset a·K, ascending, in the numbering of `leftCosets(of:)`; `[0]` is 0.
  ///
  /// - Parameter subgroup: The elements of K in any order.
  /// - Throws: `GroupError.notASubgroup`, also if a truncated set does not have all of a coset.
  /// - Complexity: O(|H| + |K|²), O(|H|·|K|) for a truncated set.
  public func cosetRepresentatives(of subgroup: [Int]) throws(GroupError) -> [Int] {
    try checkSubgroup(subgroup)
    try checkCosets(of: subgroup)
    return leftTransversal(of: subgroup, in: Array(0..<order))
  }

  /// Checks that the set has every left coset of a subgroup as a whole.
  private func checkCosets(of subgroup: [Int]) throws(GroupError) {
    if isClosed { return }
    for a in 0..<order {
      for k in subgroup where productIfPresent(a, k) == nil {
        throw .notASubgroup(reason: "the coset of \(a) by the subgroup needs \(a)·\(k), which is not in \(name)")
      }
    }
  }

  /// The smallest element of each left coset of `subgroup` in the sorted elements of a subgroup that contains it.
  func leftTransversal(of subgroup: [Int], in overgroup: [Int]) -> [Int] {
    var isCovered = [Bool](repeating: false, count: order)
    var representatives: [Int] = []
    representatives.reserveCapacity(overgroup.count / max(subgroup.count, 1))
    for candidate in overgroup where !isCovered[candidate] {
      representatives.append(candidate)
      for element in subgroup { isCovered[product(candidate, element)] = true }
    }
    return representatives
  }
}
