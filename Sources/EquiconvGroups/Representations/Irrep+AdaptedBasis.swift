// SPDX-License-Identifier: Apache-2.0

extension Irrep {
  /// The representation in a basis in which it has many entries 0 and ±1, and whose first d/t columns recover the rest.
  ///
  /// Basis vectors are chosen to be kept, up to their signs, by involutions that commute; D_N gets its usual matrices so.
  /// For the complex and quaternionic types the basis is v₁, …, I v₁, …, where I (and J, IJ) commute with ρ. Then the
  /// t diagonal blocks of ρ(h) are equal, and the trace of the first is χ(h)/t.
  func inAdaptedBasis(in group: CayleyTable) -> Irrep {
    let isSigned = matrices.allSatisfy { $0.allSatisfy { $0 == 0 || abs($0) == 1 } }
    // What commutes with ρ turns any line into any other if d = t: each diagonal entry is χ/t.
    if isSigned && (type == .real || dimension == type.dimension) { return self }
    return polished(in: group).adapted(in: group)
  }

  private func adapted(in group: CayleyTable) -> Irrep {
    var vectors: [[Double]] = []
    let units = commutingUnits()
    for block in blocks(in: group) { vectors += basis(of: block, closedUnder: units) }
    let basis = units.flatMap { unit in vectors.flatMap { apply(unit, to: $0) } }
    return changed(to: basis).withPositiveEntries().rounded
  }

  // MARK: Involutions

  /// The joint eigenspaces of commuting involutions, each as an orthonormal basis.
  private func blocks(in group: CayleyTable) -> [[[Double]]] {
    let identity = identityMatrix(dimension)
    var blocks = [(0..<dimension).map { Array(identity[$0 * dimension..<($0 + 1) * dimension]) }]
    var chosen: [Int] = []
    for g in 1..<max(group.order, 1) where group.product(g, g) == 0 {
      guard chosen.allSatisfy({ group.product($0, g) == group.product(g, $0) }) else { continue }
      let split = blocks.flatMap { eigenspaces(of: g, in: $0) }
      if split.count > blocks.count {
        blocks = split
        chosen.append(g)
      }
    }
    return blocks
  }

  /// The eigenspaces of ρ(g) in a space that it keeps, for 1 and for −1, without empty ones.
  private func eigenspaces(of g: Int, in block: [[Double]]) -> [[[Double]]] {
    [1.0, -1.0].compactMap { value in
      let projected = block.map { vector in
        zip(vector, apply(matrices[g], to: vector)).map { ($0 + value * $1) / 2 }
      }
      let space = orthonormalized(projected)
      return space.isEmpty ? nil : space
    }
  }

  // MARK: What commutes

  /// 1, or 1 and I, or 1, I, J and IJ: a basis of what commutes with ρ, whose squares are −1 but for the first.
  private func commutingUnits() -> [[Double]] {
    let identity = identityMatrix(dimension)
    if type == .real { return [identity] }
    let i = imaginaryUnit(seed: 0, orthogonalTo: [])
    if type == .complex { return [identity, i] }
    let j = imaginaryUnit(seed: 1, orthogonalTo: i)
    return [identity, i, j, matrixProduct(i, j, dimension: dimension)]
  }

  /// A skew matrix with the square −1 that commutes with ρ.
  private func imaginaryUnit(seed: Int, orthogonalTo other: [Double]) -> [Double] {
    var numbers = GenericNumbers(seed: seed)
    var skew = [Double](repeating: 0, count: dimension * dimension)
    for p in 0..<dimension {
      for q in 0..<p {
        skew[p * dimension + q] = numbers.next()
        skew[q * dimension + p] = -skew[p * dimension + q]
      }
    }
    var unit = commutingMean(of: skew)
    let shared = zip(unit, other).reduce(0) { $0 + $1.0 * $1.1 } / Double(dimension)
    for (index, entry) in other.enumerated() { unit[index] -= shared * entry }
    let scale = (Double(dimension) / unit.reduce(0) { $0 + $1 * $1 }).squareRoot()
    return unit.map { $0 * scale }
  }

  /// Vectors v of which v, I v, … are an orthonormal basis of a space that the units keep.
  private func basis(of block: [[Double]], closedUnder units: [[Double]]) -> [[Double]] {
    var vectors: [[Double]] = []
    var covered: [[Double]] = []
    while let next = largestRest(of: block, outside: covered) {
      vectors.append(next)
      covered += units.map { apply($0, to: next) }
    }
    return vectors
  }

  // MARK: Signs

  /// The representation with basis vectors negated so that, for each, the first entry left of the diagonal that is not
  /// zero is positive: a rotation by less than half a turn has its sine below the diagonal.
  private func withPositiveEntries() -> Irrep {
    guard type == .real || dimension == type.dimension else { return self }
    var basis = identityMatrix(dimension)
    for row in 1..<max(dimension, 1) {
      let entries = matrices.lazy.flatMap { matrix in
        (0..<row).lazy.map { matrix[row * dimension + $0] * basis[$0 * (dimension + 1)] }
      }
      if let entry = entries.first(where: { abs($0) > 1e-6 }), entry < 0 { basis[row * (dimension + 1)] = -1 }
    }
    return changed(to: basis)
  }

  // MARK: Vectors

  private func apply(_ matrix: [Double], to vector: [Double]) -> [Double] {
    (0..<dimension).map { row in
      (0..<dimension).reduce(0) { $0 + matrix[row * dimension + $1] * vector[$1] }
    }
  }
}

/// An orthonormal basis of the span of vectors of length at most 1.
private func orthonormalized(_ vectors: [[Double]]) -> [[Double]] {
  var basis: [[Double]] = []
  while let next = largestRest(of: vectors, outside: basis) { basis.append(next) }
  return basis
}

/// What is left of one of the vectors outside the span of an orthonormal basis, with length 1; nil if nothing is.
///
/// It is the longest rest, because a short one is mostly rounding; of about equal ones the first.
private func largestRest(of vectors: [[Double]], outside basis: [[Double]]) -> [Double]? {
  var longest: (rest: [Double], length: Double)?
  for vector in vectors {
    var rest = vector
    // The second time removes what rounding left: W. Kahan, B. N. Parlett, "twice is enough".
    for _ in 0..<2 {
      for member in basis {
        let part = zip(rest, member).reduce(0) { $0 + $1.0 * $1.1 }
        rest = zip(rest, member).map { $0 - part * $1 }
      }
    }
    let length = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
    if length > max(1e-6, 1.001 * (longest?.length ?? 0)) { longest = (rest, length) }
  }
  return longest.map { longest in longest.rest.map { $0 / longest.length } }
}
