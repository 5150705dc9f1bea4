// SPDX-License-Identifier: Apache-2.0
//
// complexMultiply: a tile of M complex outputs × 1 vector, summed over channels and reads.
//
//   weights w0      | a0 + i b0      2 M accumulators stay in registers; a coefficient is two loads of the source, two
//           ..      | ..             broadcasts an output and four multiply-adds an output.

import _EquiconvShims

/// A register tile of M complex outputs; the source is conjugated where `isConjugate` is 1.
struct ComplexTile<V: Lanes, let M: Int, let isConjugate: Int> {
  private typealias Sums = InlineArray<M, V>

  @inline(__always)
  static func multiply(_ call: equiconv_complex_multiply_call) {
    var v = 0
    while v < call.vector_count {
      run(call, call.source_offsets[v], call.destination_offsets[v])
      v &+= 1
    }
  }

  @inline(__always)
  private static func run(_ call: equiconv_complex_multiply_call, _ source: Int, _ destination: Int) {
    let target = call.destination.assumingMemoryBound(to: V.Scalar.self) + destination
    var (re, im) = (Sums(repeating: .zero), Sums(repeating: .zero))
    if call.accumulates != 0 { load(call, target, &re, &im) }
    var pixels = call.source.assumingMemoryBound(to: V.Scalar.self) + source
    var weights = call.weights.assumingMemoryBound(to: V.Scalar.self)
    var channel = 0
    while channel < call.channel_count {
      accumulate(call, weights, pixels, &re, &im)
      pixels += call.source_channel_stride
      weights += call.weight_channel_stride
      channel &+= 1
    }
    store(call, target, re, im)
  }

  @inline(__always)
  private static func accumulate(
    _ call: equiconv_complex_multiply_call, _ weights: UnsafePointer<V.Scalar>, _ pixels: UnsafePointer<V.Scalar>,
    _ re: inout Sums, _ im: inout Sums
  ) {
    let reads = call.reads
    let end = call.read_count
    let sourceImaginary = call.source_imaginary
    let weightImaginary = call.weight_imaginary
    var r = 0
    while r < end {
      let read = reads[r]
      let x = V.load(pixels + read.source)
      let y = V.load(pixels + (read.source &+ sourceImaginary))
      let a = weights + read.weight
      let b = a + weightImaginary
      var m = 0
      while m < M {
        let w = V.broadcast(a + m)
        re[unchecked: m] = V.multiplyAdd(w, x, re[unchecked: m])
        im[unchecked: m] =
          isConjugate == 1
          ? V.multiplySubtract(w, y, im[unchecked: m]) : V.multiplyAdd(w, y, im[unchecked: m])
        m &+= 1
      }
      m = 0
      while m < M {
        let w = V.broadcast(b + m)
        re[unchecked: m] =
          isConjugate == 1
          ? V.multiplyAdd(w, y, re[unchecked: m]) : V.multiplySubtract(w, y, re[unchecked: m])
        im[unchecked: m] = V.multiplyAdd(w, x, im[unchecked: m])
        m &+= 1
      }
      r &+= 1
    }
  }

  @inline(__always)
  private static func load(
    _ call: equiconv_complex_multiply_call, _ target: UnsafeMutablePointer<V.Scalar>, _ re: inout Sums,
    _ im: inout Sums
  ) {
    var m = 0
    while m < M {
      let row = UnsafePointer(target + m &* call.destination_row_stride)
      re[unchecked: m] = V.load(row)
      im[unchecked: m] = V.load(row + call.destination_imaginary)
      m &+= 1
    }
  }

  @inline(__always)
  private static func store(
    _ call: equiconv_complex_multiply_call, _ target: UnsafeMutablePointer<V.Scalar>, _ re: Sums, _ im: Sums
  ) {
    var m = 0
    while m < M {
      let row = target + m &* call.destination_row_stride
      re[unchecked: m].store(row)
      im[unchecked: m].store(row + call.destination_imaginary)
      m &+= 1
    }
  }
}

/// complexMultiply in a panel of `width` outputs.
@inline(__always)
func complexMultiplyPanel<V: Lanes>(_ call: equiconv_complex_multiply_call, width: Int, _: V.Type) {
  switch (width, call.conjugates_source) {
  case (8, 0): ComplexTile<V, 8, 0>.multiply(call)
  case (4, 0): ComplexTile<V, 4, 0>.multiply(call)
  case (2, 0): ComplexTile<V, 2, 0>.multiply(call)
  case (1, 0): ComplexTile<V, 1, 0>.multiply(call)
  case (8, _): ComplexTile<V, 8, 1>.multiply(call)
  case (4, _): ComplexTile<V, 4, 1>.multiply(call)
  case (2, _): ComplexTile<V, 2, 1>.multiply(call)
  default: ComplexTile<V, 1, 1>.multiply(call)
  }
}
