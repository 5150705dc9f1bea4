// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension CayleyTable {
  /// The irreducible real representations, as those of a transform: columns d/t and the scale d / |L|.
  ///
  /// The sum over them of d/t · χ / |L| is the identity of the group algebra, and the first d/t diagonal entries of ρ
  /// sum up to χ/t.
  ///
  /// - Throws: `GroupError.outOfMemory`.
  package func irreducibleRepresentations() throws(GroupError) -> [Representation] {
    let irreps = try irreps()
    let stabilizers = irreps.map { irrep in (0..<irrep.dimension).map { keptBy(irrep, line: $0) } }
    let chains = CosetChains(to: stabilizers.flatMap { $0 }, in: self)
    var representations: [Representation] = []
    for (irrep, stabilizers) in zip(irreps, stabilizers) {
      let size = irrep.dimension * irrep.dimension
      representations.append(
        Representation(
          dimension: irrep.dimension,
          matrices: try GroupTable<Double>(count: order * size) { irrep.matrices[$0 / size][$0 % size] }.frozen(),
          columns: irrep.dimension / irrep.type.dimension, scale: Double(irrep.dimension) / Double(order),
          chains: stabilizers.map { chains[$0] }))
    }
    return representations
  }

  /// A largest 2-group that keeps the line of the j-th basis vector.
  private func keptBy(_ irrep: Irrep, line j: Int) -> ElementSet {
    let keeping = (0..<order).filter { abs(irrep.matrices[$0][j * (irrep.dimension + 1)]) > 1 - 1e-9 }
    var subgroup = ElementSet([0])
    // A 2-group that is not a Sylow subgroup is of index 2 in some other.
    while let larger = keeping.lazy.compactMap({ doubled(subgroup, by: $0) }).first { subgroup = larger }
    return subgroup
  }
}
