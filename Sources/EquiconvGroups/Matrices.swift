// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform

/// The d×d identity, row-major.
func identityMatrix(_ d: Int) -> [Double] {
  (0..<d * d).map { $0 / d == $0 % d ? 1 : 0 }
}

/// The product of two d×d matrices, row-major.
func matrixProduct(_ a: [Double], _ b: [Double], dimension d: Int) -> [Double] {
  (0..<d * d).map { entry in
    (0..<d).reduce(0) { $0 + a[entry / d * d + $1] * b[$1 * d + entry % d] }
  }
}

/// The determinant of a 1×1, 2×2 or 3×3 matrix.
func determinant(_ m: [Double]) -> Double {
  switch m.count {
  case 1: m[0]
  case 4: m[0] * m[3] - m[1] * m[2]
  default: (0..<3).reduce(0) { $0 + m[$1] * cofactor(m, 0, $1) }
  }
}

/// The inverse of a 1×1, 2×2 or 3×3 matrix; with entries that are not finite if it is singular.
func inverseMatrix(_ m: [Double]) -> [Double] {
  let scale = 1 / determinant(m)
  switch m.count {
  case 1: return [scale]
  case 4: return [m[3] * scale, -m[1] * scale, -m[2] * scale, m[0] * scale]
  default: return (0..<9).map { cofactor(m, $0 % 3, $0 / 3) * scale }
  }
}

/// The cofactor of an entry of a 3×3 matrix. Taking rows and columns in cyclic order supplies the sign.
private func cofactor(_ m: [Double], _ row: Int, _ column: Int) -> Double {
  let (r1, r2) = ((row + 1) % 3, (row + 2) % 3)
  let (c1, c2) = ((column + 1) % 3, (column + 2) % 3)
  return m[r1 * 3 + c1] * m[r2 * 3 + c2] - m[r1 * 3 + c2] * m[r2 * 3 + c1]
}

/// The cosine and sine of 2π r / n for 0 ≤ r < n.
///
/// The angle is reduced to an eighth of a turn in integers, so multiples of a quarter turn give exactly 0 and ±1,
/// and angles that are mirror images of each other give the same numbers up to order and sign.
func cosineAndSine(_ r: Int, of n: Int) -> (cosine: Double, sine: Double) {
  let (quarter, rest) = (4 * r).quotientAndRemainder(dividingBy: n)
  let (c, s) = cosineAndSineInQuarter(rest, of: n)
  // Subtraction from zero, unlike negation, never gives a negative zero.
  switch quarter {
  case 0: return (c, s)
  case 1: return (0 - s, c)
  case 2: return (0 - c, 0 - s)
  default: return (s, 0 - c)
  }
}

/// The cosine and sine of π/2 · r / n for 0 ≤ r < n.
private func cosineAndSineInQuarter(_ r: Int, of n: Int) -> (Double, Double) {
  if 2 * r == n { return (0.5.squareRoot(), 0.5.squareRoot()) }
  let small = Double.pi / 2 * Double(min(r, n - r)) / Double(n)
  return 2 * r < n ? (cos(small), sin(small)) : (sin(small), cos(small))
}
