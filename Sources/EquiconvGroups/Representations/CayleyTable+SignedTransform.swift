// SPDX-License-Identifier: Apache-2.0

extension CayleyTable {
  /// Representations by signed permutations that recover all functions, with the fewest products, by ascending dimension.
  ///
  /// They are induced by the characters of `SignedDecomposition`. Each character e_χ counts 1 / |K|, so the sum of the
  /// columns that belong to them is the identity of the group algebra.
  ///
  /// - Throws: `GroupError.outOfMemory`.
  package func signedRepresentations() throws(GroupError) -> [Representation] {
    let characters = SignedDecomposition.characters(of: self)
    let induced = InducedRepresentation.all(of: characters, in: self).sorted { $0.dimension < $1.dimension }
    let stabilizers = induced.map { part in (0..<part.dimension).map { part.stabilizer(ofLine: $0, in: self) } }
    let chains = CosetChains(to: stabilizers.flatMap { $0 }, in: self)
    var representations: [Representation] = []
    for (part, stabilizers) in zip(induced, stabilizers) {
      representations.append(
        Representation(
          dimension: part.dimension, matrices: try part.matrices(in: self).frozen(), columns: part.columns,
          scale: Double(part.dimension) / Double(order), chains: stabilizers.map { chains[$0] }))
    }
    return representations
  }
}
