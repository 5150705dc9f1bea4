// SPDX-License-Identifier: Apache-2.0
//
// Winograd's minimal filtering of 3 taps on one axis (Lavin & Gray, Fast Algorithms for Convolutional Neural Networks,
// CVPR 2016): F(P, 3) makes P outputs of Q = P + 2 inputs by Q multiplications, y = Aᵀ (G g ⊙ Bᵀ d).
//
// F(4, 3) is interpolation at 0, ±a, ±b, ∞ with a = 5/8, b = 3/2, in Float of half the error of the usual 0, ±1, ±2, ∞ for
// as many operations: entries of A and B grow with the powers of the points, those of G with their reciprocals, and
// a·b near 1 balances the two. All constants are exact. F(2, 3) is interpolation at 0, ±1, ∞.
//
//   RMS and largest error / RMS of the output, normal numbers, Float, products summed one by one:
//   channels × elements                16                  64                 512
//   0, ±5/8, ±3/2, ∞             4.4e-7  2.5e-6     7.5e-7  4.8e-6     1.8e-6  9.4e-6
//   0, ±3/4, ±3/2, ∞             4.6e-7  2.4e-6     8.0e-7  4.3e-6     2.1e-6  1.1e-5
//   0, ±1, 1/2, −2, ∞            6.5e-7  4.4e-6     1.1e-6  8.5e-6     2.8e-6  1.7e-5
//   0, ±1, ±2, ∞                 9.5e-7  9.8e-6     1.6e-6  1.5e-5     4.3e-6  4.2e-5
//   the definition               2.1e-7  1.1e-6     4.1e-7  2.2e-6     1.3e-6  8.1e-6

/// The transforms of F(P, 3) on one axis, of vectors of tiles: (P, Q) is (4, 6) or (2, 4).
struct WinogradPoints<V: Lanes, let P: Int, let Q: Int> {
  typealias Points = InlineArray<Q, V>
  typealias Outputs = InlineArray<P, V>

  private static var a: Double { 5.0 / 8 }
  private static var b: Double { 3.0 / 2 }

  /// Bᵀ d. Row x of Bᵀ has the coefficients of Π (z − y) over the other points y; the last row those of Π over all.
  @inline(__always)
  static func input(_ d: Points) -> Points {
    P == 4 ? input4(d) : input2(d)
  }

  @inline(__always)
  private static func input4(_ d: Points) -> Points {
    let (aa, bb) = (V.splat(a * a), V.splat(b * b))
    let (sum, product) = (V.splat(a * a + b * b), V.splat(a * a * b * b))
    let evenA = V.multiplySubtract(bb, d[unchecked: 2], d[unchecked: 4])
    let oddA = V.multiplySubtract(bb, d[unchecked: 1], d[unchecked: 3])
    let evenB = V.multiplySubtract(aa, d[unchecked: 2], d[unchecked: 4])
    let oddB = V.multiplySubtract(aa, d[unchecked: 1], d[unchecked: 3])
    let zero = V.multiplySubtract(sum, d[unchecked: 2], d[unchecked: 4])
    let infinity = V.multiplySubtract(sum, d[unchecked: 3], d[unchecked: 5])
    var points = Points(repeating: .zero)
    points[unchecked: 0] = V.multiplyAdd(product, d[unchecked: 0], zero)
    points[unchecked: 1] = V.multiplyAdd(V.splat(a), oddA, evenA)
    points[unchecked: 2] = V.multiplySubtract(V.splat(a), oddA, evenA)
    points[unchecked: 3] = V.multiplyAdd(V.splat(b), oddB, evenB)
    points[unchecked: 4] = V.multiplySubtract(V.splat(b), oddB, evenB)
    points[unchecked: 5] = V.multiplyAdd(product, d[unchecked: 1], infinity)
    return points
  }

  @inline(__always)
  private static func input2(_ d: Points) -> Points {
    var points = Points(repeating: .zero)
    points[unchecked: 0] = V.subtract(d[unchecked: 2], d[unchecked: 0])
    points[unchecked: 1] = V.add(d[unchecked: 2], d[unchecked: 1])
    points[unchecked: 2] = V.subtract(d[unchecked: 2], d[unchecked: 1])
    points[unchecked: 3] = V.subtract(d[unchecked: 3], d[unchecked: 1])
    return points
  }

  /// Outputs of Aᵀ m: 0 and 2, or 1 and 3 if `isOdd`; of two outputs the one of that parity, twice.
  ///
  /// Column x of Aᵀ has the powers of x; the last column is that of the highest power. Points of either sign meet even
  /// outputs by their sum and odd ones by their difference, so that halves cost no more than all at once.
  @inline(__always)
  static func output(_ m: Points, isOdd: Bool) -> (V, V) {
    if P == 2 {
      let output =
        isOdd
        ? V.add(m[unchecked: 3], V.subtract(m[unchecked: 1], m[unchecked: 2]))
        : V.add(m[unchecked: 0], V.add(m[unchecked: 1], m[unchecked: 2]))
      return (output, output)
    }
    if isOdd {
      let (atA, atB) = (V.subtract(m[unchecked: 1], m[unchecked: 2]), V.subtract(m[unchecked: 3], m[unchecked: 4]))
      return (
        V.multiplyAdd(V.splat(b), atB, V.multiply(V.splat(a), atA)),
        V.multiplyAdd(V.splat(b * b * b), atB, V.multiplyAdd(V.splat(a * a * a), atA, m[unchecked: 5]))
      )
    }
    let (atA, atB) = (V.add(m[unchecked: 1], m[unchecked: 2]), V.add(m[unchecked: 3], m[unchecked: 4]))
    return (
      V.add(V.add(m[unchecked: 0], atA), atB),
      V.multiplyAdd(V.splat(b * b), atB, V.multiply(V.splat(a * a), atA))
    )
  }

  /// Aᵀ m + bias.
  @inline(__always)
  static func output(_ m: Points, bias: V) -> Outputs {
    var outputs = Outputs(repeating: .zero)
    if P == 2 {
      let (sum, difference) = (V.add(m[unchecked: 1], m[unchecked: 2]), V.subtract(m[unchecked: 1], m[unchecked: 2]))
      outputs[unchecked: 0] = V.add(V.add(m[unchecked: 0], bias), sum)
      outputs[unchecked: 1] = V.add(V.add(m[unchecked: 3], bias), difference)
      return outputs
    }
    let (sumA, sumB) = (V.add(m[unchecked: 1], m[unchecked: 2]), V.add(m[unchecked: 3], m[unchecked: 4]))
    let differenceA = V.subtract(m[unchecked: 1], m[unchecked: 2])
    let differenceB = V.subtract(m[unchecked: 3], m[unchecked: 4])
    let (first, last) = (V.add(m[unchecked: 0], bias), V.add(m[unchecked: 5], bias))
    outputs[unchecked: 0] = V.add(V.add(first, sumA), sumB)
    outputs[unchecked: 1] = V.multiplyAdd(V.splat(b), differenceB, V.multiplyAdd(V.splat(a), differenceA, bias))
    outputs[unchecked: 2] = V.multiplyAdd(V.splat(b * b), sumB, V.multiplyAdd(V.splat(a * a), sumA, bias))
    outputs[unchecked: 3] = V.multiplyAdd(
      V.splat(b * b * b), differenceB, V.multiplyAdd(V.splat(a * a * a), differenceA, last))
    return outputs
  }
}
