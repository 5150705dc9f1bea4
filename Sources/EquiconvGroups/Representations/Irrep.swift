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
  /// Matrices are made orthogonal before, and after because the mean of many products has their rounding. Entries that
  /// are 0, ±½ or ±1 up to rounding become so.
  ///
  /// - Complexity: O(|L|² d³).
  func polished(in group: CayleyTable) -> Irrep {
    let orthogonal = matrices.map(orthogonalized)
    let polished = orthogonal.indices.map { g in
      var sum = [Double](repeating: 0, count: dimension * dimension)
      for (h, rho) in orthogonal.enumerated() {
        addProductWithTransposed(orthogonal[group.product(g, h)], rho, dimension: dimension, to: &sum)
      }
      return orthogonalized(sum.map { $0 / Double(matrices.count) }).map(rounded)
    }
    return Irrep(dimension: dimension, type: type, matrices: polished)
  }

  /// The nearest multiple of ½, if it is very near. Adding zero makes a negative zero positive.
  private func rounded(_ entry: Double) -> Double {
    let half = (2 * entry).rounded() / 2
    return abs(entry - half) < 1e-12 ? half + 0 : entry
  }

  /// A (3 − AᵀA) / 2 = (3 A − (A Aᵀ) A) / 2: a step of Newton's method towards the nearest orthogonal matrix.
  private func orthogonalized(_ matrix: [Double]) -> [Double] {
    let square = productWithTransposed(matrix, matrix, dimension: dimension)
    let cubed = matrixProduct(square, matrix, dimension: dimension)
    return zip(matrix, cubed).map { (3 * $0 - $1) / 2 }
  }
}

/// A Bᵀ for d×d matrices, row-major.
func productWithTransposed(_ a: [Double], _ b: [Double], dimension d: Int) -> [Double] {
  var product = [Double](repeating: 0, count: d * d)
  addProductWithTransposed(a, b, dimension: d, to: &product)
  return product
}

private func addProductWithTransposed(_ a: [Double], _ b: [Double], dimension d: Int, to sum: inout [Double]) {
  for i in 0..<d {
    for j in 0..<d {
      for k in 0..<d { sum[i * d + j] += a[i * d + k] * b[j * d + k] }
    }
  }
}
