// SPDX-License-Identifier: Apache-2.0

/// exp(x) and exp(x) − 1 for x ≤ 0, lane by lane; NaN gives NaN.
///
/// x = n log 2 + r with |r| ≤ log 2 / 2; exp(r) − 1 = r + r² q(r), q a polynomial; and 2ⁿ is an exponent. Cody and Waite,
/// Software Manual for the Elementary Functions, 1980, chapter 6.
enum Exponential<V: Lanes> {
  private typealias F = PointwiseFunctions<V>

  @inline(__always) static var isSingle: Bool { MemoryLayout<V.Scalar>.size == 4 }
  @inline(__always) private static var bias: Double { isSingle ? 127 : 1023 }
  /// What `raised` raises exponents by, so that products with small exponentials are not lost below the smallest number.
  @inline(__always) private static var raise: Double { isSingle ? 24 : 53 }
  /// The lowest argument that is not zero.
  @inline(__always) private static var lowest: Double { isSingle ? -103.9 : -745.1 }

  /// 2 to the minus `raise`.
  @inline(__always) static var lowering: V { V.splat(isSingle ? 0x1p-24 : 0x1p-53) }

  /// exp(x + rest), times 2 to the `raise`; 0 below `lowest`. The rest is small beside x.
  @inline(__always)
  static func raised(_ x: V, _ rest: V) -> V {
    let (power, p) = reduced(x, rest, bias + raise)
    return V.whereLess(x, V.splat(lowest), .zero, V.multiplyAdd(power, p, power))
  }

  /// exp(x) − 1.
  @inline(__always)
  static func minusOne(_ x: V) -> V {
    // From −44 on it is −1.
    let (power, p) = reduced(V.greater(V.splat(-44), x), .zero, bias)
    return V.multiplyAdd(power, p, V.subtract(power, V.splat(1)))
  }

  /// 2ⁿ, by a bias of the exponent, and exp(r) − 1.
  @inline(__always)
  private static func reduced(_ x: V, _ rest: V, _ bias: Double) -> (power: V, p: V) {
    // A number so large has no digits behind the point, and those before it are the lowest bits.
    let large = V.splat((isSingle ? 0x1.8p23 : 0x1.8p52) + bias)
    let shifted = V.multiplyAdd(x, V.splat(1.4426950408889634), large)
    let n = V.subtract(shifted, large)
    // The upper part has so few digits that its product with n is exact.
    let upper = V.splat(isSingle ? 0.693359375 : 6.93147180369123816490e-01)
    let lower = V.splat(isSingle ? -0.000212194440054690583 : 1.90821492927058770002e-10)
    let r = V.add(V.multiplySubtract(n, lower, V.multiplySubtract(n, upper, x)), rest)
    let q = isSingle ? F.polynomial(r, single) : F.polynomial(r, double)
    return (V.shiftToExponent(shifted), V.multiplyAdd(V.multiply(r, r), q, r))
  }

  // Interpolated at Chebyshev points of |r| ≤ 0.3475: errors of r² q(r) are 8e-9 and 2e-17.

  @inline(__always)
  private static var single: InlineArray<5, Double> {
    [0.5, 0.16666576062275124, 0.041666553458651747, 0.0083633330821829433, 0.0013926375995803529]
  }

  @inline(__always)
  private static var double: InlineArray<10, Double> {
    [
      0.50000000000000010487, 0.16666666666666667473, 0.041666666666623244033, 0.0083333333333299938634,
      0.0013888888917654015311, 0.00019841269863392213356, 0.000024801520613566221212, 2.7557267935231927139e-6,
      2.7620412194498852386e-7, 2.5100634461878496986e-8,
    ]
  }
}
