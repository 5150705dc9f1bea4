// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension InducedRepresentation {
  /// The irreducible representations of which it is a sum, some of them possibly several times.
  ///
  /// The mean of R(h) A R(h)ᵀ over h, for a symmetric matrix A, commutes with R. If A is in general position, the
  /// eigenspaces of the mean are irreducible; each is checked to be, and otherwise another A is taken.
  ///
  /// - Parameter isWanted: Whether the representation of a character is wanted; the others are left out.
  /// - Throws: `GroupError.outOfMemory`.
  func irreps(in group: CayleyTable, where isWanted: ([Double]) -> Bool) throws(GroupError) -> [Irrep] {
    if let type = IrreducibleType(ofCharacter: character, in: group) {
      return isWanted(character) ? [irrep(type)] : []
    }
    var seed = 0
    while true {
      let (values, vectors) = try commutingMean(seed: seed).eigenvectors()
      if let irreps = irreps(values, vectors, in: group, where: isWanted) { return irreps }
      seed += 1
    }
  }

  /// Itself, if it is irreducible.
  private func irrep(_ type: IrreducibleType) -> Irrep {
    let matrices = (0..<order).map { h in
      var matrix = [Double](repeating: 0, count: dimension * dimension)
      for q in 0..<dimension {
        let (line, sign) = image(ofLine: q, by: h)
        matrix[line * dimension + q] = sign
      }
      return matrix
    }
    return Irrep(dimension: dimension, type: type, matrices: matrices)
  }

  /// The mean of R(h) A R(h)ᵀ over h, for a symmetric matrix A in general position.
  private func commutingMean(seed: Int) throws(GroupError) -> SymmetricMatrix {
    var numbers = GenericNumbers(seed: seed)
    let mean = try SymmetricMatrix(size: dimension)
    for p in 0..<dimension {
      for q in 0...p {
        let entry = numbers.next() / Double(order)
        for h in 0..<order {
          let (a, b) = (image(ofLine: p, by: h), image(ofLine: q, by: h))
          mean.entries[a.line * dimension + b.line] += a.sign * b.sign * entry
          if p != q { mean.entries[b.line * dimension + a.line] += a.sign * b.sign * entry }
        }
      }
    }
    return mean
  }

  /// The representations on the eigenspaces; nil if one of them is reducible.
  ///
  /// - Parameter vectors: (D, D), eigenvectors as rows, in the order of their eigenvalues.
  private func irreps(
    _ values: [Double], _ vectors: FixedArray<Double>, in group: CayleyTable, where isWanted: ([Double]) -> Bool
  ) -> [Irrep]? {
    var irreps: [Irrep] = []
    var start = 0
    for end in 1...dimension where end == dimension || values[end] - values[end - 1] > 1e-9 {
      let rows = start..<end
      start = end
      let character = (0..<order).map { h in rows.reduce(0) { $0 + entry(h, $1, $1, of: vectors) } }
      guard let type = IrreducibleType(ofCharacter: character, in: group) else { return nil }
      guard isWanted(character) else { continue }
      let matrices = (0..<order).map { h in
        rows.flatMap { i in rows.map { j in entry(h, i, j, of: vectors) } }
      }
      irreps.append(Irrep(dimension: rows.count, type: type, matrices: matrices))
    }
    return irreps
  }

  /// v_iᵀ R(h) v_j for two rows of a table.
  private func entry(_ h: Int, _ i: Int, _ j: Int, of vectors: FixedArray<Double>) -> Double {
    var sum = 0.0
    for q in 0..<dimension {
      let (line, sign) = image(ofLine: q, by: h)
      sum += sign * vectors[i * dimension + line] * vectors[j * dimension + q]
    }
    return sum
  }
}
