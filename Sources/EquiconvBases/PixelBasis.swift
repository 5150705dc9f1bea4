// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory

/// How values on the grid of taps continue between the taps; in d dimensions the tensor product over the axes.
public enum Interpolation: Hashable, Sendable, CaseIterable {
  /// Linear along each axis: 1 − |t|.
  case bilinear
  /// The cubic convolution of Keys (1981) with a = −1/2, which reproduces quadratic polynomials.
  case bicubic
  /// The cubic spline through the values: the cardinal spline of Unser, Aldroubi and Eden (1993). Smoother than
  /// `bicubic`, with tails that fall by the factor 2 − √3 with each tap.
  case bSpline3
}

/// Values of the kernel on the grid of taps, interpolated: B_j(u) = Π_axis φ(u_axis − tap_j,axis).
///
/// Coefficients are in row-major order of the array. Values at the taps of the lattice outside the grid count as zero,
/// so near its border the kernel falls off to zero within one tap (`bilinear`) or two (`bicubic`); `bSpline3` is the
/// spline through the values and through these zeros. At the taps B is exactly 1 or 0 for each interpolation.
public struct PixelBasis: Hashable, Sendable {
  /// The taps k along each array axis.
  public let extents: [Int]

  /// How values continue between the taps.
  public let interpolation: Interpolation

  /// The basis on a grid.
  ///
  /// - Parameters:
  ///   - extents: The taps along each array axis, odd or even: (width), (height, width) or (depth, height, width).
  ///   - interpolation: How values continue between the taps.
  /// - Throws: `BasisError` unless there are 1, 2 or 3 positive extents with fewer than 2³¹ taps.
  public init(extents: [Int], interpolation: Interpolation = .bilinear) throws(BasisError) {
    try checkExtents(extents)
    self.extents = extents
    self.interpolation = interpolation
  }
}

extension PixelBasis: BasisFamily {
  /// The number of axes.
  public var dimension: Int { extents.count }

  /// The number of taps.
  public var count: Int { extents.reduce(1, *) }

  /// The extents.
  public var shape: [Int] { extents }

  /// Taps nearer than the reach of the interpolation, on every axis.
  var mostFunctionsAtPoint: Int { extents.reduce(1) { $0 * min($1, 2 * Int(interpolation.reach)) } }

  func find(at u: UnsafePointer<Double>, into found: inout LocalValues) throws(BasisError) {
    let axes = ArrayAxes(count: extents.count)
    // The products over the axes done so far, the last one first.
    found.removeAll()
    try found.append(LocalValue(function: 0, value: 1))
    var step = 1
    for i in extents.indices {
      let (k, x) = (extents[axes.counterpart(i)], u[i])
      let direction = axes.direction(ofCoordinate: i)
      let taps = interpolation.taps(near: direction > 0 ? x : 0 - x, extent: k)
      if taps.isEmpty { return found.removeAll() }
      let done = found.count
      for _ in done..<done * taps.count { try found.append(LocalValue(function: 0, value: 0)) }
      for tap in taps.reversed() {
        // Differences of coordinates, not of array positions: a reflected point then gives the same numbers reflected.
        let factor = interpolation.weight(x - tapCoordinate(tap, extent: k, direction: direction))
        // The products that are multiplied last are those that are overwritten.
        for j in 0..<done {
          let product = found[j]
          found[(tap - taps.lowerBound) * done + j] = LocalValue(
            function: tap * step + product.function, value: factor * product.value)
        }
      }
      step *= k
    }
  }
}

extension Interpolation {
  /// φ is 0 from this distance on.
  fileprivate var reach: Double {
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
