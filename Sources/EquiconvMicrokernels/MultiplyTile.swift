// SPDX-License-Identifier: Apache-2.0
//
// multiply: a tile of M outputs × N vectors of pixels, summed over a stencil.
//
//              pixels  x0 x1 .. x(N-1)      one load each, at the vector's own offset
//   weights  w0      | a00 a01 ..      |
//            w1      | a10 a11 ..      |    M·N accumulators stay in registers, one multiply-add each
//            ..      | ..              |    per coefficient; M weights are broadcast
//
// Register budget: M·N accumulators + N pixels + 1 weight. Target.swift chooses M and N to fit.

import _EquiconvShims

/// A register tile of M outputs by N vectors.
struct MultiplyTile<V: Lanes, let M: Int, let N: Int> {
  typealias Sums = InlineArray<M, InlineArray<N, V>>

  /// Vectors `first ..< first + N` of the call; each output is one chain of multiply-adds that starts at the bias.
  @inline(__always)
  static func multiply(_ call: equiconv_multiply_call, first: Int) {
    var sums = call.accumulates == 0 ? bias(call) : partialSums(call, first: first)
    var pixels = InlineArray<N, UnsafePointer<V.Scalar>> { n in
      call.source.assumingMemoryBound(to: V.Scalar.self) + call.source_offsets[first &+ n]
    }
    var weights = call.weights.assumingMemoryBound(to: V.Scalar.self)
    var channel = 0
    while channel < call.channel_count {
      accumulate(call, weights, pixels, &sums)
      var n = 0
      while n < N {
        pixels[unchecked: n] += call.source_channel_stride
        n &+= 1
      }
      weights += call.weight_channel_stride
      channel &+= 1
    }
    store(sums, call, first: first)
  }

  @inline(__always)
  private static func bias(_ call: equiconv_multiply_call) -> Sums {
    let bias = call.bias.assumingMemoryBound(to: V.Scalar.self)
    return Sums { m in InlineArray(repeating: V.broadcast(bias + m)) }
  }

  @inline(__always)
  private static func partialSums(_ call: equiconv_multiply_call, first: Int) -> Sums {
    let destination = UnsafePointer(call.destination.assumingMemoryBound(to: V.Scalar.self))
    return Sums { m in
      InlineArray { n in
        V.load(destination + (call.destination_offsets[first &+ n] &+ m &* call.destination_row_stride))
      }
    }
  }

  @inline(__always)
  private static func accumulate(
    _ call: equiconv_multiply_call, _ weights: UnsafePointer<V.Scalar>,
    _ pixels: InlineArray<N, UnsafePointer<V.Scalar>>, _ sums: inout Sums
  ) {
    let reads = call.reads
    let end = call.read_count
    var r = 0
    while r < end {
      let read = reads[r]
      var x = InlineArray<N, V>(repeating: .zero)
      var n = 0
      while n < N {
        x[unchecked: n] = V.load(pixels[unchecked: n] + read.source)
        n &+= 1
      }
      let w = weights + read.weight &* M
      var m = 0
      while m < M {
        let weight = V.broadcast(w + m)
        n = 0
        while n < N {
          sums[unchecked: m][unchecked: n] = V.multiplyAdd(weight, x[unchecked: n], sums[unchecked: m][unchecked: n])
          n &+= 1
        }
        m &+= 1
      }
      r &+= 1
    }
  }

  @inline(__always)
  private static func store(_ sums: Sums, _ call: equiconv_multiply_call, first: Int) {
    let destination = call.destination.assumingMemoryBound(to: V.Scalar.self)
    var n = 0
    while n < N {
      let column = destination + call.destination_offsets[first &+ n]
      var m = 0
      while m < M {
        sums[unchecked: m][unchecked: n].store(column + m &* call.destination_row_stride)
        m &+= 1
      }
      n &+= 1
    }
  }
}

/// Runs over all vectors of a call with the widest tile that still fits.
@inline(__always)
func sweep<V: Lanes, let M: Int, let A: Int, let B: Int, let C: Int>(
  _ call: equiconv_multiply_call, _: MultiplyTile<V, M, A>.Type, _: MultiplyTile<V, M, B>.Type,
  _: MultiplyTile<V, M, C>.Type
) {
  var first = 0
  while first &+ A <= call.vector_count {
    MultiplyTile<V, M, A>.multiply(call, first: first)
    first &+= A
  }
  while first &+ B <= call.vector_count {
    MultiplyTile<V, M, B>.multiply(call, first: first)
    first &+= B
  }
  while first < call.vector_count {
    MultiplyTile<V, M, C>.multiply(call, first: first)
    first &+= C
  }
}
