// SPDX-License-Identifier: Apache-2.0

extension PointGroup {
  /// The matrix of h⁻¹, shape (d, d), row-major, also where h⁻¹ is not an element of a truncated set.
  ///
  /// - Precondition: `element` is in `0..<order`.
  public func matrixOfInverse(_ element: Int) -> [Double] {
    let inverse = inverse(element)
    return inverse >= 0 ? matrix(inverse) : inverseMatrix(matrix(element))
  }

  /// The largest |h x| / |x|: 1 for a rotation or reflection, s for a scaling by s.
  ///
  /// - Precondition: `element` is in `0..<order`.
  public func scale(of element: Int) -> Double {
    let m = matrix(element)
    let d = dimension
    let gram = matrixProduct(transpose(m, d), m, dimension: d)
    // The powers of mᵀm tend to the projection on the direction that is stretched most.
    var power = gram
    for _ in 0..<48 {
      power = matrixProduct(power, power, dimension: d)
      let trace = (0..<d).reduce(0) { $0 + power[$1 * d + $1] }
      power = power.map { $0 / trace }
    }
    let stretched = matrixProduct(power, gram, dimension: d)
    return (0..<d).reduce(0) { $0 + stretched[$1 * d + $1] }.squareRoot()
  }

  private func transpose(_ m: [Double], _ d: Int) -> [Double] { (0..<d * d).map { m[$0 % d * d + $0 / d] } }
}
