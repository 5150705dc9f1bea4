// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory
import _EquiconvPlatform

/// The partial derivatives of a Gaussian up to a total order N: B_α(u) = σ^|α| / √α! · ∂^α exp(−|u|² / 2σ²).
///
/// In other words B_α(u) = Π_axis (−1)^a He_a(u_axis/σ) / √a! · exp(−|u|² / 2σ²) with the Hermite polynomials He_a,
/// whose norms the factor 1/√α! takes out. Multi-indices α = (a_x, a_y, a_z) are in order of |α|, then of decreasing
/// a_x, then of decreasing a_y: 1; ∂x, ∂y; ∂xx, ∂xy, ∂yy; … There are (N+d choose d) of them. A rotation mixes the
/// functions of one order |α| among each other, exactly.
///
/// Source: Koenderink and van Doorn, "Representation of local geometry in the visual system", 1987; Jacobsen et al.,
/// "Structured receptive fields in CNNs", 2016, section 3.
public struct GaussianDerivativeBasis: Hashable, Sendable {
  /// The highest order of a derivative.
  public static let largestOrder = 10

  /// The number of coordinates.
  public let dimension: Int

  /// The highest total order N.
  public let order: Int

  /// The width σ of the Gaussian in taps.
  public let sigma: Double

  /// The taps of the grid of the identity, in array-axis order.
  public let extents: [Int]

  /// The multi-indices α, one for each function.
  public let derivatives: [[Int]]

  /// The derivatives up to a total order.
  ///
  /// - Parameters:
  ///   - dimension: The number d of coordinates, 1, 2 or 3.
  ///   - order: The highest total order N, `0...10`.
  ///   - sigma: The width σ in taps, positive and finite. A kernel of extent k holds derivatives of order N if σ is
  ///     about (k−1)/2 / (√N + 2) or less; below about 0.6 the Gaussian is not resolved by the taps.
  ///   - extents: The taps along each array axis.
  /// - Throws: `BasisError` naming the argument.
  public init(dimension: Int, order: Int, sigma: Double, extents: [Int]) throws(BasisError) {
    try check(dimension, in: 1...3, .dimension)
    try check(order, in: 0...Self.largestOrder, .order)
    try checkPositive(sigma, .sigma)
    try checkExtents(extents)
    guard extents.count == dimension else {
      throw .wrongCount(.extents, count: extents.count, expected: "one for each of \(dimension) axes")
    }
    self.dimension = dimension
    self.order = order
    self.sigma = sigma
    self.extents = extents
    derivatives = (0...order).flatMap { multiIndices(dimension: dimension, total: $0) }
  }
}

extension GaussianDerivativeBasis: BasisFamily {
  /// The number of multi-indices, (N+d choose d).
  public var count: Int { derivatives.count }

  /// [J].
  public var shape: [Int] { [count] }

  func find(at u: UnsafePointer<Double>, into found: inout LocalValues) throws(BasisError) {
    found.removeAll()
    let factors = (0..<dimension).map { hermiteGaussians(u[$0] / sigma, order: order) }
    for (j, derivative) in derivatives.enumerated() {
      let value = zip(factors, derivative).reduce(1) { $0 * $1.0[$1.1] }
      try found.append(LocalValue(function: j, value: value))
    }
  }
}

/// σᵃ/√a! times the derivatives of order a = 0 … N of exp(−t²/2) at t, where t is in units of σ.
///
/// By g_{a+1} = −(t g_a + √a g_{a−1}) / √(a+1), the recurrence of the Hermite polynomials divided by their norms.
private func hermiteGaussians(_ t: Double, order: Int) -> [Double] {
  // Beyond this the Gaussian times any polynomial allowed here is below the smallest number.
  guard abs(t) < 64 else { return [Double](repeating: 0, count: order + 1) }
  var values = [exp(-t * t / 2)]
  for a in 0..<order {
    let previous = a == 0 ? 0 : Double(a).squareRoot() * values[a - 1]
    values.append(-(t * values[a] + previous) / Double(a + 1).squareRoot())
  }
  return values
}

/// The multi-indices of `dimension` entries that add up to `total`, the first entry decreasing.
private func multiIndices(dimension: Int, total: Int) -> [[Int]] {
  guard dimension > 1 else { return [[total]] }
  return (0...total).flatMap { rest in
    multiIndices(dimension: dimension - 1, total: rest).map { [total - rest] + $0 }
  }
}
