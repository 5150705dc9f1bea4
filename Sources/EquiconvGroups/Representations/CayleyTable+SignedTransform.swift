// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension CayleyTable {
  /// Representations by signed permutations that recover all functions, with the fewest products, by ascending dimension.
  ///
  /// They are induced by the characters of `SignedDecomposition`. Each idempotent e_χ has χ with the factor 1 / |K| =
  /// D / |L|, so the columns that belong to them sum up to the identity of the group algebra.
  ///
  /// - Throws: `GroupError.outOfMemory`.
  package func signedRepresentations() throws(GroupError) -> [Representation] {
    let induced = InducedRepresentation.all(of: SignedDecomposition.characters(of: self), in: self)
    let chains = CosetChains(to: induced.flatMap { $0.stabilizers }, in: self)
    var representations: [Representation] = []
    for dimension in Set(induced.map({ $0.dimension })).sorted() {
      for part in induced where part.dimension == dimension {
        representations.append(
          Representation(
            dimension: dimension, matrices: try part.matrices().frozen(), columns: part.columns,
            scale: Double(dimension) / Double(order), chains: part.stabilizers.map { chains[$0] }))
      }
    }
    return representations
  }
}
