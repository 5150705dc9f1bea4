// SPDX-License-Identifier: Apache-2.0
//
// The output transform Aᵀ m A + bias of the tiles of one plane, lanes along tiles.
//
//   Q × Q points of vectors of tiles         P rows of pixels
//   m m m m   columns, then rows, in         y y y y y y y y    each row interleaved from its P columns: whole
//   m m m m   registers             ---->    y y y y y y y y    vectors go to the plane, what is cut off by its
//   m m m m                                                     edges goes through strips

import _EquiconvShims

/// Output transform of tiles of P × P outputs, Q = P + 2.
struct WinogradOutput<V: Lanes, let P: Int, let Q: Int> {
  private typealias Axis = WinogradPoints<V, P, Q>

  @inline(__always)
  static func run(_ call: equiconv_winograd_output_call) {
    let bias = V.broadcast(call.bias.assumingMemoryBound(to: V.Scalar.self))
    var index = 0
    while index < call.vector_count {
      transform(call, bias, index)
      index &+= 1
    }
    index = 0
    while index < call.copy_count {
      copy(call, call.copies[index])
      index &+= 1
    }
  }

  @inline(__always)
  private static func transform(_ call: equiconv_winograd_output_call, _ bias: V, _ index: Int) {
    transform(call, bias, index, isOdd: false)
    transform(call, bias, index, isOdd: true)
  }

  /// Rows of one parity: half the intermediate numbers, which thus stay in registers.
  @inline(__always)
  private static func transform(_ call: equiconv_winograd_output_call, _ bias: V, _ index: Int, isOdd: Bool) {
    let points = UnsafePointer(call.points.assumingMemoryBound(to: V.Scalar.self)) + index &* V.count
    var rows = (InlineArray<Q, V>(repeating: .zero), InlineArray<Q, V>(repeating: .zero))
    var j = 0
    while j < Q {
      let column = InlineArray<Q, V> { i in V.load(points + (i &* Q &+ j) &* call.point_stride) }
      (rows.0[unchecked: j], rows.1[unchecked: j]) = Axis.output(column, isOdd: isOdd)
      j &+= 1
    }
    let first = isOdd ? 1 : 0
    store(call, interleave(Axis.output(rows.0, bias: bias)), index, row: first)
    if P == 4 { store(call, interleave(Axis.output(rows.1, bias: bias)), index, row: first &+ 2) }
  }

  /// The pixels of a row of tiles, from their columns.
  @inline(__always)
  private static func interleave(_ columns: InlineArray<P, V>) -> InlineArray<P, V> {
    var pixels = InlineArray<P, V>(repeating: .zero)
    if P == 4 {
      let (a, b) = (columns[unchecked: 0], columns[unchecked: 1])
      let (c, d) = (columns[unchecked: 2], columns[unchecked: 3])
      let (evenLow, evenHigh) = (V.zipLow(a, c), V.zipHigh(a, c))
      let (oddLow, oddHigh) = (V.zipLow(b, d), V.zipHigh(b, d))
      pixels[unchecked: 0] = V.zipLow(evenLow, oddLow)
      pixels[unchecked: 1] = V.zipHigh(evenLow, oddLow)
      pixels[unchecked: 2] = V.zipLow(evenHigh, oddHigh)
      pixels[unchecked: 3] = V.zipHigh(evenHigh, oddHigh)
    } else {
      pixels[unchecked: 0] = V.zipLow(columns[unchecked: 0], columns[unchecked: 1])
      pixels[unchecked: 1] = V.zipHigh(columns[unchecked: 0], columns[unchecked: 1])
    }
    return pixels
  }

  @inline(__always)
  private static func store(
    _ call: equiconv_winograd_output_call, _ pixels: InlineArray<P, V>, _ index: Int, row: Int
  ) {
    let plane = call.plane.assumingMemoryBound(to: V.Scalar.self) + row &* call.row_stride
    let strip = call.strips.assumingMemoryBound(to: V.Scalar.self) + row &* call.strip_stride
    let stores = call.stores + index &* P
    var part = 0
    while part < P {
      let store = stores[part]
      if store.place < 0 {
        pixels[unchecked: part].store(strip + (index &* P &+ part) &* V.count)
      } else if row < store.rows {
        equiconv_prefetch_write(plane + (store.place &+ call.later_plane))
        pixels[unchecked: part].store(plane + store.place)
      }
      part &+= 1
    }
  }

  @inline(__always)
  private static func copy(_ call: equiconv_winograd_output_call, _ copy: equiconv_winograd_copy) {
    var source = UnsafePointer(call.strips.assumingMemoryBound(to: V.Scalar.self)) + copy.strip
    var destination = call.plane.assumingMemoryBound(to: V.Scalar.self) + copy.place
    var row = 0
    while row < copy.rows {
      var x = 0
      while x &+ V.count <= copy.length {
        V.load(source + x).store(destination + x)
        x &+= V.count
      }
      while x < copy.length {
        destination[x] = source[x]
        x &+= 1
      }
      source += call.strip_stride
      destination += call.row_stride
      row &+= 1
    }
  }
}

@inline(__always)
func winogradOutput<V: Lanes>(_ call: equiconv_winograd_output_call, tile: Int, _: V.Type) {
  if tile == 4 { WinogradOutput<V, 4, 6>.run(call) } else { WinogradOutput<V, 2, 4>.run(call) }
}
