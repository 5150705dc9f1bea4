// SPDX-License-Identifier: Apache-2.0

/// The highest degree of B-splines.
let largestDegree = 5

/// The centered cardinal B-spline of degree n at t: the (n+1)-fold convolution of the indicator of [−½, ½].
///
/// β_n(t) = (((n+1)/2 + t) β_{n−1}(t + ½) + ((n+1)/2 − t) β_{n−1}(t − ½)) / n, from the hat β₁ upwards. It is even to
/// the last bit, 0 for |t| ≥ (n+1)/2, and its integer translates add up to 1. β₀ is ½ within 10⁻⁹ of its ends, so that
/// both hold for it too, even if t is rounded.
///
/// Source: de Boor, "On calculating with B-splines", 1972.
/// - Complexity: O(2ⁿ), with n at most 5.
package func cardinalBSpline(_ t: Double, degree n: Int) -> Double {
  let half = Double(n + 1) / 2
  // Not from β₀: next to a jump, rounding may put t + ½ and t − ½ on inconsistent sides.
  if n == 0 { return unitBox(t) }
  guard abs(t) < half else { return 0 }
  if n == 1 { return 1 - abs(t) }
  let left = (half + t) * cardinalBSpline(t + 0.5, degree: n - 1)
  let right = (half - t) * cardinalBSpline(t - 0.5, degree: n - 1)
  return (left + right) / Double(n)
}

/// β_n(t) is 0 where |t| is this or more.
func splineReach(degree n: Int) -> Double { n == 0 ? 0.5 + 2 * boxTolerance : Double(n + 1) / 2 }

/// How near to its ends β₀ is ½.
private let boxTolerance = 1e-9

/// 1 inside [−½, ½], ½ at its ends, 0 outside.
private func unitBox(_ t: Double) -> Double {
  let distance = abs(t) - 0.5
  if abs(distance) <= boxTolerance { return 0.5 }
  return distance < 0 ? 1 : 0
}
