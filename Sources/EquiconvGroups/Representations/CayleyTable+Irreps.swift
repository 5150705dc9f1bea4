// SPDX-License-Identifier: Apache-2.0

extension CayleyTable {
  /// The irreducible real representations, each once, in a basis adapted to them, by dimension and then by character.
  ///
  /// All are contained in those that characters ±1 induce, because the sum of these is the regular representation. The
  /// trivial one is first. Σ d²/t = |L|.
  ///
  /// - Throws: `GroupError.outOfMemory`.
  /// - Complexity: O(|L| D² + D³ + Σ |L|² d³), where D is |L| over the order of a Sylow 2-subgroup, or a little more.
  package func irreps() throws(GroupError) -> [Irrep] {
    var found: [Irrep] = []
    var characters: [[Double]] = []
    var rest = order
    for induced in InducedRepresentation.all(of: SignedDecomposition.characters(of: self), in: self) where rest > 0 {
      let isNew = { (character: [Double]) in !characters.contains { isEqual($0, character) } }
      for irrep in try induced.irreps(in: self, where: isNew) {
        // It may be contained several times.
        let character = irrep.character
        guard !characters.contains(where: { isEqual($0, character) }) else { continue }
        characters.append(character)
        rest -= irrep.dimension * irrep.dimension / irrep.type.dimension
        found.append(irrep.inAdaptedBasis(in: self))
      }
    }
    precondition(rest == 0, "irreducible representations are missing")
    return found.sorted { a, b in
      if a.dimension != b.dimension { return a.dimension < b.dimension }
      return zip(a.character, b.character).first { abs($0 - $1) > 1e-6 }.map { $0 > $1 } ?? false
    }
  }
}

/// Whether two characters are the same; different ones differ by more at some element.
private func isEqual(_ a: [Double], _ b: [Double]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 } }
