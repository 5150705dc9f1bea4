// SPDX-License-Identifier: Apache-2.0
//
// complexMultiply: a tile of M complex outputs × 1 vector, summed over channels and reads.
//
// With w = a + ib and z = x + iy, three real products make the complex one (Gauss):
//   wz = a(x + y) − y(a + b)  +  i (a(x + y) + x(b − a)).
// Weights come as a, b − a and a + b; x + y is formed once for all M outputs. 3 M accumulators stay in registers beside
// x, y, x + y and one weight: 25 operations a coefficient for 8 outputs instead of 32.

import _EquiconvShims

/// A register tile of M complex outputs; the source is conjugated where `isConjugate` is 1.
struct ComplexTile<V: Lanes, let M: Int, let isConjugate: Int> {
  /// Sums of a(x + y), of (b − a)x and of (a + b)y.
  private struct Sums {
    var common = InlineArray<M, V>(repeating: .zero)
    var ofX = InlineArray<M, V>(repeating: .zero)
    var ofY = InlineArray<M, V>(repeating: .zero)
  }

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
    var sums = Sums()
    var pixels = call.source.assumingMemoryBound(to: V.Scalar.self) + source
    var weights = call.weights.assumingMemoryBound(to: V.Scalar.self)
    var channel = 0
    while channel < call.channel_count {
      accumulate(call, weights, pixels, &sums)
      pixels += call.source_channel_stride
      weights += call.weight_channel_stride
      channel &+= 1
    }
    let target = call.destination.assumingMemoryBound(to: V.Scalar.self) + destination
    if call.accumulates == 0 {
      store(call, target, sums)
    } else {
      add(call, target, sums)
    }
  }

  @inline(__always)
  private static func accumulate(
    _ call: equiconv_complex_multiply_call, _ weights: UnsafePointer<V.Scalar>, _ pixels: UnsafePointer<V.Scalar>,
    _ sums: inout Sums
  ) {
    let reads = call.reads
    let end = call.read_count
    let sourceImaginary = call.source_imaginary
    let plane = call.weight_plane_stride
    var r = 0
    while r < end {
      let read = reads[r]
      let x = V.load(pixels + read.source)
      let part = V.load(pixels + (read.source &+ sourceImaginary))
      let y = isConjugate == 1 ? V.subtract(.zero, part) : part
      let sum = V.add(x, y)
      let a = weights + read.weight
      accumulate(a, sum, &sums.common)
      accumulate(a + plane, x, &sums.ofX)
      accumulate(a + 2 &* plane, y, &sums.ofY)
      r &+= 1
    }
  }

  @inline(__always)
  private static func accumulate(_ weights: UnsafePointer<V.Scalar>, _ x: V, _ sums: inout InlineArray<M, V>) {
    var m = 0
    while m < M {
      sums[unchecked: m] = V.multiplyAdd(V.broadcast(weights + m), x, sums[unchecked: m])
      m &+= 1
    }
  }

  @inline(__always)
  private static func store(
    _ call: equiconv_complex_multiply_call, _ target: UnsafeMutablePointer<V.Scalar>, _ sums: Sums
  ) {
    var m = 0
    while m < M {
      let row = target + m &* call.destination_row_stride
      V.subtract(sums.common[unchecked: m], sums.ofY[unchecked: m]).store(row)
      V.add(sums.common[unchecked: m], sums.ofX[unchecked: m]).store(row + call.destination_imaginary)
      m &+= 1
    }
  }

  @inline(__always)
  private static func add(
    _ call: equiconv_complex_multiply_call, _ target: UnsafeMutablePointer<V.Scalar>, _ sums: Sums
  ) {
    var m = 0
    while m < M {
      let re = target + m &* call.destination_row_stride
      let im = re + call.destination_imaginary
      V.add(V.load(re), V.subtract(sums.common[unchecked: m], sums.ofY[unchecked: m])).store(re)
      V.add(V.load(im), V.add(sums.common[unchecked: m], sums.ofX[unchecked: m])).store(im)
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
