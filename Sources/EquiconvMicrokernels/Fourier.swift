// SPDX-License-Identifier: Apache-2.0
//
// Discrete Fourier transforms of short sequences of vectors: each lane is a sequence of its own.
//
// A length n = 4 A is taken apart as Cooley and Tukey do (Math. Comp. 19, 1965): with j = 4 a + b and k = p + A q
//   X[p + A q] = Σ_b w4^(b q) · w_n^(b p) · (Σ_a w_A^(a p) x[4 a + b]),   w_m = exp(−2πi / m).
// The four transforms of length A and the A transforms of length 4 fit in registers; what lies between rests in scratch.

/// The transform of length 4 A.
struct Fourier<V: Lanes, let A: Int> {
  static var length: Int { 4 &* A }

  /// `target[k] = Σ_j source[j] exp(−2πi j k / n)`.
  ///
  /// - Parameters:
  ///   - twiddles: [b − 1][p][re, im] of w_n^(b p), b = 1, 2, 3.
  ///   - scratch: 8 A vectors; neither source nor target.
  @inline(never)
  static func transform(
    _ source: ComplexSequence<V>, into target: ComplexSequence<V>, twiddles: UnsafePointer<V.Scalar>,
    scratch: UnsafeMutablePointer<V.Scalar>
  ) {
    let between = ComplexSequence<V>(base: scratch, stride: 2 &* V.count, imaginary: V.count)
    var b = 0
    while b < 4 {
      var x = InlineArray<A, Complex<V>> { a in source[4 &* a &+ b] }
      transform(&x)
      between[b] = x[unchecked: 0]
      let row = twiddles + (b &- 1) &* 2 &* A
      var p = 1
      while p < A {
        let value = x[unchecked: p]
        between[4 &* p &+ b] =
          b == 0 ? value : value.turned(V.broadcast(row + 2 &* p), V.broadcast(row + (2 &* p &+ 1)))
        p &+= 1
      }
      b &+= 1
    }
    var p = 0
    while p < A {
      let element = 4 &* p
      let x = four(between[element], between[element &+ 1], between[element &+ 2], between[element &+ 3])
      target[p] = x.0
      target[p &+ A] = x.1
      target[p &+ 2 &* A] = x.2
      target[p &+ 3 &* A] = x.3
      p &+= 1
    }
  }

  // MARK: - Lengths that fit in registers

  @inline(__always)
  private static func transform(_ x: inout InlineArray<A, Complex<V>>) {
    if A == 2 {
      (x[unchecked: 0], x[unchecked: 1]) = (x[unchecked: 0] + x[unchecked: 1], x[unchecked: 0] - x[unchecked: 1])
    } else if A == 3 {
      (x[unchecked: 0], x[unchecked: 1], x[unchecked: 2]) = three(x[unchecked: 0], x[unchecked: 1], x[unchecked: 2])
    } else if A == 4 {
      (x[unchecked: 0], x[unchecked: 1], x[unchecked: 2], x[unchecked: 3]) = four(
        x[unchecked: 0], x[unchecked: 1], x[unchecked: 2], x[unchecked: 3])
    } else if A == 5 {
      five(&x)
    } else if A == 6 {
      six(&x)
    } else {
      eight(&x)
    }
  }

  @inline(__always)
  private static func three(_ x0: Complex<V>, _ x1: Complex<V>, _ x2: Complex<V>) -> (
    Complex<V>, Complex<V>, Complex<V>
  ) {
    let (sum, difference) = (x1 + x2, x1 - x2)
    let middle = x0.plus(V.splat(-0.5), sum)
    let s = V.splat(0.866_025_403_784_438_646_76)
    return (x0 + sum, middle.minusImaginary(s, difference), middle.plusImaginary(s, difference))
  }

  @inline(__always)
  private static func four(_ x0: Complex<V>, _ x1: Complex<V>, _ x2: Complex<V>, _ x3: Complex<V>) -> (
    Complex<V>, Complex<V>, Complex<V>, Complex<V>
  ) {
    let (a, b, c, d) = (x0 + x2, x0 - x2, x1 + x3, x1 - x3)
    return (a + c, b.minusI(d), a - c, b.plusI(d))
  }

  @inline(__always)
  private static func five(_ x: inout InlineArray<A, Complex<V>>) {
    let (c1, c2) = (V.splat(0.309_016_994_374_947_424_1), V.splat(-0.809_016_994_374_947_424_1))
    let (s1, s2) = (V.splat(0.951_056_516_295_153_572_1), V.splat(0.587_785_252_292_473_129_2))
    let (t1, d1) = (x[unchecked: 1] + x[unchecked: 4], x[unchecked: 1] - x[unchecked: 4])
    let (t2, d2) = (x[unchecked: 2] + x[unchecked: 3], x[unchecked: 2] - x[unchecked: 3])
    let (m1, m2) = (x[unchecked: 0].plus(c1, t1).plus(c2, t2), x[unchecked: 0].plus(c2, t1).plus(c1, t2))
    x[unchecked: 0] = x[unchecked: 0] + t1 + t2
    x[unchecked: 1] = m1.minusImaginary(s1, d1).minusImaginary(s2, d2)
    x[unchecked: 4] = m1.plusImaginary(s1, d1).plusImaginary(s2, d2)
    x[unchecked: 2] = m2.minusImaginary(s2, d1).plusImaginary(s1, d2)
    x[unchecked: 3] = m2.plusImaginary(s2, d1).minusImaginary(s1, d2)
  }

  /// Good and Thomas: 2 and 3 have no common factor, so x[3a + 2b] and X[3p + 4q] need no twiddles.
  @inline(__always)
  private static func six(_ x: inout InlineArray<A, Complex<V>>) {
    let even = three(
      x[unchecked: 0] + x[unchecked: 3], x[unchecked: 2] + x[unchecked: 5], x[unchecked: 4] + x[unchecked: 1])
    let odd = three(
      x[unchecked: 0] - x[unchecked: 3], x[unchecked: 2] - x[unchecked: 5], x[unchecked: 4] - x[unchecked: 1])
    (x[unchecked: 0], x[unchecked: 4], x[unchecked: 2]) = even
    (x[unchecked: 3], x[unchecked: 1], x[unchecked: 5]) = odd
  }

  @inline(__always)
  private static func eight(_ x: inout InlineArray<A, Complex<V>>) {
    let even = four(x[unchecked: 0], x[unchecked: 2], x[unchecked: 4], x[unchecked: 6])
    let odd = four(x[unchecked: 1], x[unchecked: 3], x[unchecked: 5], x[unchecked: 7])
    let s = V.splat(0.707_106_781_186_547_524_4)
    // s (1 − i) and s (−1 − i) times the odd ones.
    let one = Complex<V>(V.add(odd.1.re, odd.1.im), V.subtract(odd.1.im, odd.1.re))
    let minusThree = Complex<V>(V.subtract(odd.3.re, odd.3.im), V.add(odd.3.re, odd.3.im))
    (x[unchecked: 0], x[unchecked: 4]) = (even.0 + odd.0, even.0 - odd.0)
    (x[unchecked: 1], x[unchecked: 5]) = (even.1.plus(s, one), even.1.minus(s, one))
    (x[unchecked: 2], x[unchecked: 6]) = (even.2.minusI(odd.2), even.2.plusI(odd.2))
    (x[unchecked: 3], x[unchecked: 7]) = (even.3.minus(s, minusThree), even.3.plus(s, minusThree))
  }
}
