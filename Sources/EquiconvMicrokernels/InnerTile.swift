// SPDX-License-Identifier: Apache-2.0
//
// inner: a tile of M rows × N rows, multiplied along the rows.
//
//                right  y0 y1 .. y(N-1)     one load each per vector of the row
//      left  x0       | a00 a01 ..     |
//            x1       | a10 a11 ..     |    M·N accumulators, each one chain of multiply-adds, lane by lane;
//            ..       | ..             |    the lanes are added at the end
//
// Register budget: M·N accumulators + M vectors of the left side + 1 of the right one.

import _EquiconvShims

/// A register tile of M rows of the left side by N of the right one.
struct InnerTile<V: Lanes, let M: Int, let N: Int> {
  typealias Sums = InlineArray<M, InlineArray<N, V>>

  /// Rows `m ..< m + M` of the left side by `n ..< n + N` of the right one.
  @inline(__always)
  static func add(_ call: equiconv_inner_call, _ m: Int, _ n: Int) {
    let sums = products(call, m, n)
    var flat = InlineArray<32, V>(repeating: .zero)
    var i = 0
    while i < M &* N {
      flat[unchecked: i] = sums[unchecked: i / N][unchecked: i % N]
      i &+= 1
    }
    let target = call.sums.assumingMemoryBound(to: V.Scalar.self) + (m &* call.sum_stride &+ n)
    var scratch = InlineArray<32, V>(repeating: .zero)
    withUnsafeMutablePointer(to: &scratch) {
      let totals = UnsafeMutableRawPointer($0).assumingMemoryBound(to: V.Scalar.self)
      LaneSums<V>.store(flat, count: M &* N, totals)
      var i = 0
      while i < M &* N {
        let sum = target + (i / N &* call.sum_stride &+ i % N)
        sum.pointee = V.add(sum.pointee, totals[LaneSums<V>.place(of: i, M &* N)])
        i &+= 1
      }
    }
  }

  @inline(__always)
  private static func products(_ call: equiconv_inner_call, _ m: Int, _ n: Int) -> Sums {
    var sums = Sums(repeating: InlineArray(repeating: .zero))
    let left = call.left.assumingMemoryBound(to: V.Scalar.self) + m &* call.left_stride
    let right = call.right.assumingMemoryBound(to: V.Scalar.self) + n &* call.right_stride
    var i = 0
    let end = call.vector_count &* V.count
    while i < end {
      let x = InlineArray<M, V> { V.load(left + (i &+ $0 &* call.left_stride)) }
      var n = 0
      while n < N {
        let y = V.load(right + (i &+ n &* call.right_stride))
        var m = 0
        while m < M {
          sums[unchecked: m][unchecked: n] = V.multiplyAdd(x[unchecked: m], y, sums[unchecked: m][unchecked: n])
          m &+= 1
        }
        n &+= 1
      }
      i &+= V.count
    }
    return sums
  }
}

/// Sums over the lanes of vectors, the upper half to the lower half until one lane is left.
enum LaneSums<V: Lanes> {
  /// Stores the sums of the first `count` vectors, that of vector i at `place(of: i, count)`.
  ///
  /// As many vectors as there are lanes are added in pairs: interleaving two puts the halves of each side by side, and
  /// adding these leaves one vector of both. As in `Transposition`, the sum of vector i ends in lane i. Where there are
  /// fewer, each fills several places of the square; the compiler computes what is the same once.
  @inline(__always)
  static func store(_ vectors: InlineArray<32, V>, count: Int, _ totals: UnsafeMutablePointer<V.Scalar>) {
    var first = 0
    while first < count {
      let spread = Self.spread(count &- first)
      var x = Transposition.Square<V>(repeating: .zero)
      var i = 0
      while i < V.count {
        x[unchecked: i] = vectors[unchecked: min(first &+ i / spread, count &- 1)]
        i &+= 1
      }
      var half = V.count / 2
      while half > 0 {
        i = 0
        while i < half {
          let (a, b) = (x[unchecked: i], x[unchecked: i &+ half])
          x[unchecked: i] = V.add(V.zipLow(a, b), V.zipHigh(a, b))
          i &+= 1
        }
        half /= 2
      }
      x[unchecked: 0].store(totals + first)
      first &+= V.count
    }
  }

  @inline(__always)
  static func place(of i: Int, _ count: Int) -> Int {
    let first = i / V.count &* V.count
    return first &+ (i &- first) &* spread(count &- first)
  }

  /// How many places of a square each of `count` vectors fills.
  @inline(__always)
  private static func spread(_ count: Int) -> Int {
    var spread = V.count
    while spread > 1 && spread &* count > V.count { spread /= 2 }
    return spread
  }
}

/// Runs over all sums of a call. The rows of the right side stay in the first cache while all of the left side pass.
@inline(__always)
func innerProducts<V: Lanes>(_ call: equiconv_inner_call, _: V.Type) {
  var n = 0
  while n < call.right_count { n &+= innerColumns(call, from: n, V.self) }
}

/// Rows `n ..< n + N` of the right side with all of the left one, whose last few are taken in the smaller tile.
/// - Returns: N.
@inline(__always)
func innerColumns<V: Lanes, let A: Int, let B: Int, let N: Int>(
  _ call: equiconv_inner_call, _ n: Int, _: InnerTile<V, A, N>.Type, _: InnerTile<V, B, N>.Type
) -> Int {
  var m = 0
  while m &+ A <= call.left_count {
    InnerTile<V, A, N>.add(call, m, n)
    m &+= A
  }
  while m < call.left_count {
    InnerTile<V, B, N>.add(call, m, n)
    m &+= B
  }
  return N
}
