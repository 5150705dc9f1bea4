// SPDX-License-Identifier: Apache-2.0

/// An irreducible real representation ρ by orthogonal matrices.
package struct Irrep: Sendable {
  /// The dimension d.
  package let dimension: Int
  package let type: IrreducibleType
  /// Of each element the matrix, shape (d, d), row-major.
  package let matrices: [[Double]]

  /// tr ρ(h) for each h.
  package var character: [Double] {
    matrices.map { matrix in (0..<dimension).reduce(0) { $0 + matrix[$1 * (dimension + 1)] } }
  }

  /// The mean over h of ρ(h) A ρ(h)ᵀ, which commutes with ρ, for a matrix A of shape (d, d).
  func commutingMean(of matrix: [Double]) -> [Double] {
    var sum = [Double](repeating: 0, count: matrix.count)
    for rho in matrices {
      let moved = productWithTransposed(matrixProduct(rho, matrix, dimension: dimension), rho, dimension: dimension)
      for index in sum.indices { sum[index] += moved[index] }
    }
    return sum.map { $0 / Double(matrices.count) }
  }

  /// ρ in an orthonormal basis, whose vectors are the rows of a matrix of shape (d, d).
  func changed(to basis: [Double]) -> Irrep {
    Irrep(
      dimension: dimension, type: type,
      matrices: matrices.map {
        productWithTransposed(matrixProduct(basis, $0, dimension: dimension), basis, dimension: dimension)
      })
  }

  /// ρ with an error that is the square of what it was: ρ(g) becomes the mean over h of ρ(gh) ρ(h)ᵀ.
  ///
  /// - Complexity: O(|L|² d³).
  func polished(in group: CayleyTable) -> Irrep {
    let orthogonal = matrices.map(orthogonalized)
    let polished = orthogonal.enumerated().map { g, old in
      // The mean of small changes, because a sum of large numbers would have a larger rounding than the result.
      var changes = [Double](repeating: 0, count: dimension * dimension)
      for (h, rho) in orthogonal.enumerated() {
        addProduct(of: orthogonal[group.product(g, h)], withTransposed: rho, minus: old, to: &changes)
      }
      return zip(old, changes).map { $0 + $1 / Double(matrices.count) }
    }
    return Irrep(dimension: dimension, type: type, matrices: polished)
  }

  /// ρ with the entries that are 0, ±½ or ±1 up to rounding made so.
  var rounded: Irrep {
    let rounded = matrices.map { matrix in
      matrix.map { entry in
        let half = (2 * entry).rounded() / 2
        // Adding zero makes a negative zero positive.
        return abs(entry - half) < 1e-13 ? half + 0 : entry
      }
    }
    return Irrep(dimension: dimension, type: type, matrices: rounded)
  }

  /// Adds A Bᵀ − C.
  private func addProduct(
    of a: [Double], withTransposed b: [Double], minus c: [Double], to sum: inout [Double]
  ) {
    for i in 0..<dimension {
      for j in 0..<dimension {
        var entry = -c[i * dimension + j]
        for k in 0..<dimension { entry += a[i * dimension + k] * b[j * dimension + k] }
        sum[i * dimension + j] += entry
      }
    }
  }

  /// A (3 − AᵀA) / 2 = (3 A − (A Aᵀ) A) / 2: a step of Newton's method towards the nearest orthogonal matrix.
  private func orthogonalized(_ matrix: [Double]) -> [Double] {
    let square = productWithTransposed(matrix, matrix, dimension: dimension)
    let cubed = matrixProduct(square, matrix, dimension: dimension)
    return zip(matrix, cubed).map { (3 * $0 - $1) / 2 }
  }
}

/// A Bᵀ for d×d matrices, row-major.
private func productWithTransposed(_ a: [Double], _ b: [Double], dimension d: Int) -> [Double] {
  (0..<d * d).map { entry in
    (0..<d).reduce(0) { $0 + a[entry / d * d + $1] * b[entry % d * d + $1] }
  }
}
