// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

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

  /// Pairs of array axes, the smaller first, that the matrix of some element exchanges or mixes.
  ///
  /// - Complexity: O(|H|).
  public var mixedAxes: [(Int, Int)] {
    let d = dimension
    let axes = ArrayAxes(count: d)
    return (0..<d * d).compactMap { pair in
      let (row, column) = (pair / d, pair % d)
      let isMixed =
        row < column
        && (0..<order).contains { h in
          matrixTable[(h * d + row) * d + column] != 0 || matrixTable[(h * d + column) * d + row] != 0
        }
      return isMixed ? (axes.counterpart(column), axes.counterpart(row)) : nil
    }
  }

  /// For each array axis, whether some element mirrors it, exchanges it with another or mixes it with one. An axis that
  /// the group only scales does not move.
  ///
  /// - Complexity: O(|H|).
  public var movedAxes: [Bool] {
    let d = dimension
    let axes = ArrayAxes(count: d)
    return (0..<d).map { axis in
      let i = axes.counterpart(axis)
      return (0..<order).contains { h in
        // A similarity by s that leaves the axis where it is has s here. Of others some power has less than s / 2, and
        // sᵈ is |det h|.
        let doubled = 2 * matrixTable[(h * d + i) * d + i]
        return doubled <= 0 || (0..<d).reduce(1) { power, _ in power * doubled } < abs(determinants[h])
      }
    }
  }

  private func transpose(_ m: [Double], _ d: Int) -> [Double] { (0..<d * d).map { m[$0 % d * d + $0 / d] } }
}
