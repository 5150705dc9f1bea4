// SPDX-License-Identifier: Apache-2.0
//
// reduce: a tile of M scalars × N vectors, summed over pixels.
//
//              vectors  x0 .. x(N-1)     lanes run along channels, one load each per pixel
//   scalars  s0       | a00 ..      |
//            s1       | a10 ..      |    a pixel of each of M planes is broadcast,
//            ..       | ..          |    so no accumulator needs a horizontal sum
//
// A broadcast that serves a single multiply-add halves the speed (loads), so N = 1 is for what is left over.
// U pixels are taken at a time. Register budget: M·N accumulators + U·N vectors + 1 broadcast.

import _EquiconvShims

struct ReduceTile<V: Lanes, let M: Int, let N: Int, let U: Int> {
  typealias Sums = InlineArray<M, InlineArray<N, V>>
  typealias Scalars = InlineArray<M, UnsafePointer<V.Scalar>>
  typealias Vectors = InlineArray<N, UnsafePointer<V.Scalar>>

  /// Adds the sums of scalars `first ..< min(first + M, count)` and vectors `vector ..< vector + N` to the call's sums.
  @inline(__always)
  static func reduce(_ call: equiconv_reduce_call, first: Int, vector: Int) {
    var sums = Sums(repeating: InlineArray(repeating: .zero))
    let last = call.scalar_count &- 1
    // A tile that is not full reads its last scalar again; `add` leaves that sum out.
    let scalars = Scalars { m in
      call.scalars.assumingMemoryBound(to: V.Scalar.self) + call.scalar_offsets[min(first &+ m, last)]
    }
    var vectors = Vectors { n in
      call.vectors.assumingMemoryBound(to: V.Scalar.self) + call.vector_offsets[vector &+ n]
    }
    var offset = 0
    var row = 0
    while row < call.row_count {
      accumulateRow(call, scalars, offset, vectors, &sums)
      offset &+= call.scalar_row_stride
      var n = 0
      while n < N {
        vectors[unchecked: n] += call.vector_row_stride
        n &+= 1
      }
      row &+= 1
    }
    store(sums, call)
    add(call, first: first, vector: vector)
  }

  @inline(__always)
  private static func accumulateRow(
    _ call: equiconv_reduce_call, _ scalars: Scalars, _ offset: Int, _ vectors: Vectors, _ sums: inout Sums
  ) {
    let step = call.vector_column_stride
    let end = offset &+ call.column_count
    var position = 0
    var x = offset
    while x &+ U <= end {
      accumulate(scalars, x, vectors, position, step, &sums, pixels: InlineArray<U, Void>(repeating: ()))
      position &+= U &* step
      x &+= U
    }
    while x < end {
      accumulate(scalars, x, vectors, position, step, &sums, pixels: InlineArray<1, Void>(repeating: ()))
      position &+= step
      x &+= 1
    }
  }

  /// P pixels from column `x` on.
  @inline(__always)
  private static func accumulate<let P: Int>(
    _ scalars: Scalars, _ x: Int, _ vectors: Vectors, _ position: Int, _ step: Int, _ sums: inout Sums,
    pixels: InlineArray<P, Void>
  ) {
    var v = InlineArray<P, InlineArray<N, V>>(repeating: InlineArray(repeating: .zero))
    var p = 0
    while p < P {
      var n = 0
      while n < N {
        v[unchecked: p][unchecked: n] = V.load(vectors[unchecked: n] + (position &+ p &* step))
        n &+= 1
      }
      p &+= 1
    }
    var m = 0
    while m < M {
      let scalar = scalars[unchecked: m] + x
      p = 0
      while p < P {
        let value = V.broadcast(scalar + p)
        var n = 0
        while n < N {
          sums[unchecked: m][unchecked: n] = V.multiplyAdd(
            value, v[unchecked: p][unchecked: n], sums[unchecked: m][unchecked: n])
          n &+= 1
        }
        p &+= 1
      }
      m &+= 1
    }
  }

  /// Spills the whole tile: a branch here would keep the accumulators out of registers.
  @inline(__always)
  private static func store(_ sums: Sums, _ call: equiconv_reduce_call) {
    let scratch = call.scratch.assumingMemoryBound(to: V.Scalar.self)
    var m = 0
    while m < M {
      var n = 0
      while n < N {
        sums[unchecked: m][unchecked: n].store(scratch + (m &* N &+ n) &* V.count)
        n &+= 1
      }
      m &+= 1
    }
  }

  @inline(__always)
  private static func add(_ call: equiconv_reduce_call, first: Int, vector: Int) {
    var scratch = UnsafePointer(call.scratch.assumingMemoryBound(to: V.Scalar.self))
    var row =
      call.sums.assumingMemoryBound(to: V.Scalar.self)
      + (first &* call.sum_scalar_stride &+ vector &* call.sum_vector_stride)
    var m = min(M, call.scalar_count &- first)
    while m > 0 {
      var n = 0
      while n < N {
        let column = row + n &* call.sum_vector_stride
        V.add(V.load(column), V.load(scratch)).store(column)
        scratch += V.count
        n &+= 1
      }
      row += call.sum_scalar_stride
      m &-= 1
    }
  }
}

/// Runs over all scalars of a call for one group of N vectors, the last few scalars in the smaller tile.
@inline(__always)
func sweep<V: Lanes, let A: Int, let B: Int, let N: Int, let U: Int, let T: Int>(
  _ call: equiconv_reduce_call, vector: Int,
  _: ReduceTile<V, A, N, U>.Type, _: ReduceTile<V, B, N, T>.Type
) {
  var first = 0
  while first &+ (A &- B) < call.scalar_count {
    ReduceTile<V, A, N, U>.reduce(call, first: first, vector: vector)
    first &+= A
  }
  while first < call.scalar_count {
    ReduceTile<V, B, N, T>.reduce(call, first: first, vector: vector)
    first &+= B
  }
}

/// Runs over all vectors of a call in groups of three, two or one, with the tiles of the target.
@inline(__always)
func reduceTiles<V: Lanes>(_ call: equiconv_reduce_call, _: V.Type) {
  var vector = 0
  while vector < call.vector_count {
    // Four vectors are better taken as 2 + 2 than as 3 + 1.
    let left = call.vector_count &- vector
    if left >= 3 && left != 4 {
      sweep(call, vector: vector, ReduceThree<V>.self, ReduceThreeRest<V>.self)
      vector &+= 3
    } else if left >= 2 {
      sweep(call, vector: vector, ReduceTwo<V>.self, ReduceTwoRest<V>.self)
      vector &+= 2
    } else {
      sweep(call, vector: vector, ReduceOne<V>.self, ReduceOneRest<V>.self)
      vector &+= 1
    }
  }
}
