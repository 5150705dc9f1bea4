// SPDX-License-Identifier: Apache-2.0

extension PointGroup {
  /// The Fourier transform on a subgroup L by signed permutations, so that it commutes with L to the last bit.
  ///
  /// L permutes and negates the rows of ŷ, which costs no rounding, if sums are nested along the chains of the columns.
  /// The representations have the fewest products of all that characters ±1 induce: the irreducible ones of a 2-group
  /// like D4, and with threefold axes those of a Sylow 2-subgroup, induced to L.
  ///
  /// - Parameter subgroup: The elements of L in any order.
  /// - Throws: `GroupError.notASubgroup`; `invalidOrder` if L has more than 128 elements; `outOfMemory`.
  package func signedTransform(of subgroup: [Int]) throws(GroupError) -> GroupTransform {
    let table = try cayleyTable(of: subgroup)
    return GroupTransform(elements: subgroup.sorted(), representations: try table.signedRepresentations())
  }

  /// The Fourier transform on a subgroup L by its irreducible real representations: the fewest products, Σ d³/t.
  ///
  /// Where L has threefold axes this is less than the signed transform has, but representations like that of the
  /// triangle have entries ½ and √3/2, and then the transform commutes with L only up to rounding.
  ///
  /// - Parameter subgroup: The elements of L in any order.
  /// - Throws: `GroupError.notASubgroup`; `invalidOrder` if L has more than 128 elements; `outOfMemory`.
  package func irreducibleTransform(of subgroup: [Int]) throws(GroupError) -> GroupTransform {
    let table = try cayleyTable(of: subgroup)
    return GroupTransform(elements: subgroup.sorted(), representations: try table.irreducibleRepresentations())
  }
}
