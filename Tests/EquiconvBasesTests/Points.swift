// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import _EquiconvTestSupport

extension SplitMix64 {
  /// Points with coordinates of either sign up to `bound`.
  mutating func points(_ count: Int, dimension: Int, bound: Double) -> [[Double]] {
    (0..<count).map { _ in (0..<dimension).map { _ in Double.random(in: -bound...bound, using: &self) } }
  }
}

/// The matrix of a function of a basis index and a point, as `sampling(of:at:)` gives it.
func matrix(_ points: [[Double]], count: Int, _ value: (Int, [Double]) -> Double) -> [Double] {
  points.flatMap { u in (0..<count).map { value($0, u) } }
}

/// The largest absolute difference of two arrays, infinite if their lengths differ or a number is missing.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1).isNaN ? .infinity : abs($1.0 - $1.1)) }
}

/// The product of a matrix, row-major, and a point.
func apply(_ matrix: [Double], _ u: [Double]) -> [Double] {
  u.indices.map { row in u.indices.reduce(0) { $0 + matrix[row * u.count + $1] * u[$1] } }
}

/// The solution of a linear system by elimination with the largest pivot of each column.
func solve(_ rows: [[Double]], _ right: [Double]) -> [Double] {
  var m = zip(rows, right).map { $0 + [$1] }
  for column in m.indices {
    let pivot = (column..<m.count).max { abs(m[$0][column]) < abs(m[$1][column]) }!
    m.swapAt(column, pivot)
    for row in m.indices where row != column {
      let factor = m[row][column] / m[column][column]
      for entry in column...m.count { m[row][entry] -= factor * m[column][entry] }
    }
  }
  return m.indices.map { m[$0][m.count] / m[$0][$0] }
}

/// The factorial.
func factorial(_ n: Int) -> Double { (0..<n).reduce(1) { $0 * Double($1 + 1) } }

/// The centered B-spline of degree n by truncated powers: 1/n! Σ_k (−1)ᵏ (n+1 choose k) max(0, t + (n+1)/2 − k)ⁿ.
func truncatedPowers(_ t: Double, _ n: Int) -> Double {
  (0...n + 1).reduce(0) { sum, k in
    let base = t + Double(n + 1) / 2 - Double(k)
    let power = base <= 0 ? 0 : (0..<n).reduce(1.0) { product, _ in product * base }
    let binomial = factorial(n + 1) / factorial(k) / factorial(n + 1 - k)
    return sum + (k % 2 == 0 ? 1 : -1) * binomial * power / factorial(n)
  }
}
