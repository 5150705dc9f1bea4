// SPDX-License-Identifier: Apache-2.0

/// Functions of single numbers, lane by lane. NaN gives NaN, and infinities give the limits.
///
/// Sigmoids and what is made of them go through s = exp(−|x|) / (1 + exp(−|x|)), which loses nothing on either side:
/// x sigmoid(x) = max(x, 0) − |x| s, and likewise with the tail of the normal distribution for x Φ(x).
enum PointwiseFunctions<V: Lanes> {
  private typealias E = Exponential<V>

  @inline(__always) private static var one: V { V.splat(1) }

  @inline(__always)
  static func relu(_ x: V) -> V { V.greater(.zero, x) }

  @inline(__always)
  static func leakyRelu(_ x: V, slope: V) -> V { V.whereLess(x, .zero, V.multiply(slope, x), x) }

  @inline(__always)
  static func elu(_ x: V, alpha: V) -> V {
    V.whereLess(x, .zero, V.multiply(alpha, E.minusOne(V.lesser(x, .zero))), x)
  }

  /// tanh(|x|) = −e / (2 + e) for e = exp(−2|x|) − 1.
  @inline(__always)
  static func tanh(_ x: V) -> V {
    let e = E.minusOne(V.multiply(V.splat(-2), V.absolute(x)))
    return V.copySign(V.divide(V.negate(e), V.add(V.splat(2), e)), x)
  }

  @inline(__always)
  static func exponential(_ x: V) -> V { V.multiply(E.raised(x, .zero), E.lowering) }

  @inline(__always)
  static func sigmoid(_ x: V) -> V {
    let e = E.raised(V.negate(V.absolute(x)), .zero)
    let s = V.multiply(e, quotient(e))
    return V.whereLess(x, .zero, s, V.subtract(one, s))
  }

  @inline(__always)
  static func silu(_ x: V) -> V {
    // Beyond the bound s is zero.
    let a = V.lesser(V.absolute(x), V.splat(E.isSingle ? 110 : 750))
    let e = E.raised(V.negate(a), .zero)
    return V.subtract(relu(x), V.multiply(V.multiply(a, e), quotient(e)))
  }

  /// 1 / (1 + e) for a raised exponential, lowered: e times it is e / (1 + e).
  @inline(__always)
  private static func quotient(_ e: V) -> V {
    V.divide(E.lowering, V.add(one, V.multiply(e, E.lowering)))
  }

  /// max(x, 0) − |x| Φ(−|x|), where Φ(−a) = exp(−a²/2) tail(a).
  @inline(__always)
  static func gelu(_ x: V) -> V {
    let a = V.lesser(V.absolute(x), V.splat(E.isSingle ? 15 : 39))
    let square = V.multiply(a, a)
    let rest = V.productError(a, a, square)
    let half = V.splat(-0.5)
    let e = E.raised(V.multiply(half, square), V.multiply(half, rest))
    return V.subtract(relu(x), V.multiply(V.multiply(V.multiply(a, tail(a)), e), E.lowering))
  }

  /// max(x, 0) − |x| s for s at 2u = √(8/π) |x| + 0.044715 √(8/π) |x|³, whose exponential needs more digits than numbers have.
  @inline(__always)
  static func geluTanh(_ x: V) -> V {
    let a = V.lesser(V.absolute(x), V.splat(E.isSingle ? 11 : 22))
    let square = V.multiply(a, a)
    let squareRest = V.productError(a, a, square)
    let (linear, linearRest) = split(1.5957691216057308, rest: -9.96930880911e-17)
    let (cubic, cubicRest) = split(0.07135481627260025, rest: -6.17514991816e-19)
    let t = V.multiply(cubic, square)
    let tRest = V.multiplyAdd(
      cubic, squareRest, V.multiplyAdd(cubicRest, square, V.productError(cubic, square, t)))
    // Sum of two: what rounding takes from it.
    let sum = V.add(linear, t)
    let taken = V.subtract(sum, linear)
    let lost = V.add(V.subtract(linear, V.subtract(sum, taken)), V.subtract(t, taken))
    let sumRest = V.add(lost, V.add(tRest, linearRest))
    let u = V.multiply(a, sum)
    let uRest = V.multiplyAdd(a, sumRest, V.productError(a, sum, u))
    let e = E.raised(V.negate(u), V.negate(uRest))
    return V.subtract(relu(x), V.multiply(V.multiply(a, e), quotient(e)))
  }

  /// A constant of more digits than numbers have, as two; `rest` is what a Double leaves of it.
  @inline(__always)
  private static func split(_ value: Double, rest: Double) -> (V, V) {
    (V.splat(value), V.splat(E.isSingle ? value - Double(Float(value)) : rest))
  }

  /// exp(a²/2) Φ(−a) for a ≥ 0, up to where that factor of gelu is zero: a polynomial in (a − k)/(a + k) over a + k.
  @inline(__always)
  private static func tail(_ a: V) -> V {
    let k = V.splat(E.isSingle ? 3 : 5)
    let inverse = V.divide(one, V.add(a, k))
    let place = V.multiply(V.subtract(a, k), inverse)
    let value = E.isSingle ? polynomial(place, singleTail) : polynomial(place, doubleTail)
    return V.multiply(value, inverse)
  }

  /// Σ cᵢ xⁱ by Horner's rule.
  @inline(__always)
  static func polynomial<let N: Int>(_ x: V, _ c: InlineArray<N, Double>) -> V {
    var value = V.splat(c[unchecked: N &- 1])
    var i = N &- 2
    while i >= 0 {
      value = V.multiplyAdd(value, x, V.splat(c[unchecked: i]))
      i &-= 1
    }
    return value
  }

  // Interpolated at Chebyshev points, for a up to 15 and to 39: errors of 2e-9 and 2e-17.

  @inline(__always)
  private static var singleTail: InlineArray<11, Double> {
    [
      0.729083690714, -0.509331988835, 0.230017676674, -0.0472627619212, -0.0104622889665, 0.00696992015091,
      0.00102415732438, -0.00103447655089, -0.000244709320792, 0.000133323954204, 5.54918717168e-5,
    ]
  }

  @inline(__always)
  private static var doubleTail: InlineArray<22, Double> {
    [
      0.769193049750062966, -0.6653825028900567871, 0.495305615969974136, -0.3135331566712971063, 0.1650203661705006948,
      -0.06911863870647981905, 0.02079506679756985643, -0.002993376769094472817, -0.0007978693748911933265,
      0.0005448990626958520579, -0.00005937586616736070918, -0.00004976285316503013592, 0.00001668170360977267944,
      3.981182741532577461e-6, -2.770320944146952282e-6, -3.374965203524631907e-7, 4.344390726376458475e-7,
      4.375841598285574883e-8, -6.667529339227571587e-8, -1.061827417423937636e-8, 7.630410417873182343e-9,
      2.224938767716443292e-9,
    ]
  }
}
