// SPDX-License-Identifier: Apache-2.0

/// How values on the grid of taps continue between the taps; in d dimensions the tensor product over the axes.
public enum Interpolation: Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// Linear along each axis: 1 − |t|.
  case bilinear
  /// The cubic convolution of Keys (1981) with a = −1/2, which reproduces quadratic polynomials.
  case bicubic
  /// The cubic spline through the values: the cardinal spline of Unser, Aldroubi and Eden (1993). Smoother than
  /// `bicubic`, with tails that fall by the factor 2 − √3 with each tap.
  case bSpline3
}

extension Interpolation {
  /// The name of the case.
  public var description: String {
    switch self {
    case .bilinear: "bilinear"
    case .bicubic: "bicubic"
    case .bSpline3: "bSpline3"
    }
  }

  /// φ is 0 from this distance on.
  var reach: Double {
    switch self {
    case .bilinear: 1
    case .bicubic: 2
    case .bSpline3: cardinalReach
    }
  }

  /// The taps of an axis that may have a weight at x; x runs with the array's axis, from its middle.
  func taps(near x: Double, extent k: Int) -> Range<Int> {
    let place = x + Double(k - 1) / 2
    // Rounding is monotone and keeps the positions of taps: it removes none of them.
    let (first, last) = (max(0, (place - reach).rounded(.up)), min(Double(k - 1), (place + reach).rounded(.down)))
    guard place.isFinite, first <= last else { return 0..<0 }
    return Int(first)..<Int(last) + 1
  }

  /// φ(t): the weight of a value at distance t along one axis. Even, 1 at 0 and 0 at the other integers.
  package func weight(_ t: Double) -> Double {
    let t = abs(t)
    return switch self {
    case .bilinear: t < 1 ? 1 - t : 0
    case .bicubic: keysCubic(t)
    case .bSpline3: cardinalCubicSpline(t)
    }
  }
}

/// The cubic convolution kernel at t ≥ 0: Keys, "Cubic convolution interpolation", 1981, equation 4 with a = −1/2.
private func keysCubic(_ t: Double) -> Double {
  if t < 1 { return (1.5 * t - 2.5) * t * t + 1 }
  return t < 2 ? ((2.5 - 0.5 * t) * t - 4) * t + 2 : 0
}

/// The tail of the cardinal cubic spline is cut off here, below 10⁻³⁵ of the value.
private let cardinalReach = 64.0

/// The cubic spline that is 1 at 0 and 0 at all other integers, at t ≥ 0.
///
/// It is √3 Σ_n z^|n| β₃(t − n) with the pole z = √3 − 2 of the prefilter (Unser, Aldroubi and Eden, "B-spline signal
/// processing: part II", 1993, table I), here multiplied out in powers of the fraction f of t, with z² = −4z − 1. From
/// one interval to the next beyond 1 it is multiplied by z.
private func cardinalCubicSpline(_ t: Double) -> Double {
  let root = 3.0.squareRoot()
  if t < 1 { return 1 + ((3 * root - 4) * t + (3 - 3 * root)) * t * t }
  guard t < cardinalReach else { return 0 }
  var (f, tail) = (t - 1, 1.0)
  while f >= 1 { (f, tail) = (f - 1, tail * (root - 2)) }
  return tail * f * ((3 * root - 6) + f * ((6 * root - 9) + f * (15 - 9 * root)))
}
