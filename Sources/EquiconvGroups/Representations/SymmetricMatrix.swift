// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A symmetric matrix of any size, whose eigenvectors are wanted.
struct SymmetricMatrix: ~Copyable {
  let size: Int
  /// (size, size), row-major.
  let entries: GroupTable<Double>

  /// - Throws: `GroupError.outOfMemory`.
  init(size: Int) throws(GroupError) {
    self.size = size
    entries = try GroupTable<Double>(repeating: 0, count: size * size)
  }

  /// The eigenvalues, ascending, and the eigenvectors: orthonormal, as the rows of a (size, size) table.
  ///
  /// By Jacobi's rotations, row by row, until what is off the diagonal vanishes beside the whole.
  ///
  /// - Throws: `GroupError.outOfMemory`.
  /// - Complexity: O(size³) for each round; about ten rounds.
  /// Source: G. H. Golub, C. F. Van Loan, Matrix Computations, section 8.5.
  consuming func eigenvectors() throws(GroupError) -> (values: [Double], vectors: FixedArray<Double>) {
    let rotated = try GroupTable<Double>(repeating: 0, count: size * size)
    for row in 0..<size { rotated[row * size + row] = 1 }
    var rounds = 0
    let whole = sumOfSquares { _, _ in true }
    // Convergence is quadratic: what is left after 30 rounds is rounding.
    while rounds < 30, sumOfSquares(where: !=) > 1e-32 * whole {
      for p in 0..<size {
        for q in p + 1..<max(size, p + 1) { rotate(p, q, with: rotated) }
      }
      rounds += 1
    }
    let order = (0..<size).sorted { entries[$0 * size + $0] < entries[$1 * size + $1] }
    let values = order.map { entries[$0 * size + $0] }
    let vectors = try GroupTable<Double>(count: size * size) { rotated[order[$0 / size] * size + $0 % size] }
    return (values, vectors.frozen())
  }

  private func sumOfSquares(where isCounted: (_ row: Int, _ column: Int) -> Bool) -> Double {
    (0..<size * size).reduce(0) { sum, place in
      isCounted(place / size, place % size) ? sum + entries[place] * entries[place] : sum
    }
  }

  /// The rotation of axes p and q that makes entry (p, q) zero; the rows of `vectors` turn with them.
  private func rotate(_ p: Int, _ q: Int, with vectors: borrowing GroupTable<Double>) {
    let entry = entries[p * size + q]
    if entry == 0 { return }
    let ratio = (entries[q * size + q] - entries[p * size + p]) / (2 * entry)
    let tangent = (ratio < 0 ? -1 : 1) / (abs(ratio) + (ratio * ratio + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    for k in 0..<size { turn(entries, p * size + k, q * size + k, cosine, sine) }
    for k in 0..<size { turn(entries, k * size + p, k * size + q, cosine, sine) }
    for k in 0..<size { turn(vectors, p * size + k, q * size + k, cosine, sine) }
    entries[p * size + q] = 0
    entries[q * size + p] = 0
  }

  private func turn(_ table: borrowing GroupTable<Double>, _ a: Int, _ b: Int, _ cosine: Double, _ sine: Double) {
    let (x, y) = (table[a], table[b])
    table[a] = cosine * x - sine * y
    table[b] = sine * x + cosine * y
  }
}
