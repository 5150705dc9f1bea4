// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A square of vectors, transposed in registers.
enum Transposition {
  /// Room for as many vectors as the widest has lanes.
  typealias Square<V: Lanes> = InlineArray<16, V>

  /// x[i][j] becomes x[j][i], for i and j below the number of lanes.
  ///
  /// Interleaving the first with the second half of the rows rotates the bits of (row, lane) by one place; after as many
  /// steps as a lane number has bits, rows and lanes have changed places.
  @inline(__always)
  static func run<V: Lanes>(_ x: inout Square<V>) {
    var step = 1
    while step < V.count {
      let y = x
      var i = 0
      while i < V.count / 2 {
        x[unchecked: 2 &* i] = V.zipLow(y[unchecked: i], y[unchecked: i &+ V.count / 2])
        x[unchecked: 2 &* i &+ 1] = V.zipHigh(y[unchecked: i], y[unchecked: i &+ V.count / 2])
        i &+= 1
      }
      step &*= 2
    }
  }

  /// A matrix, square by square. Those at its ends load and store their own numbers alone.
  @inline(__always)
  static func run<V: Lanes>(_ call: equiconv_transpose_call, _: V.Type) {
    let source = call.source.assumingMemoryBound(to: V.Scalar.self)
    let target = call.target.assumingMemoryBound(to: V.Scalar.self)
    var column = 0
    while column < call.column_count {
      let columns = min(V.count, call.column_count &- column)
      var row = 0
      while row < call.row_count {
        let rows = min(V.count, call.row_count &- row)
        let from = source + (row &* call.source_row_stride &+ column)
        let to = target + (column &* call.target_row_stride &+ row)
        if rows == V.count && columns == V.count {
          whole(call, from, to, V.self)
        } else {
          part(call, from, rows, to, columns, V.self)
        }
        row &+= V.count
      }
      column &+= V.count
    }
  }

  @inline(__always)
  private static func whole<V: Lanes>(
    _ call: equiconv_transpose_call, _ source: UnsafePointer<V.Scalar>, _ target: UnsafeMutablePointer<V.Scalar>,
    _: V.Type
  ) {
    var x = Square<V>(repeating: .zero)
    var i = 0
    while i < V.count {
      x[unchecked: i] = V.load(source + i &* call.source_row_stride)
      i &+= 1
    }
    run(&x)
    i = 0
    while i < V.count {
      x[unchecked: i].store(target + i &* call.target_row_stride)
      i &+= 1
    }
  }

  @inline(__always)
  private static func part<V: Lanes>(
    _ call: equiconv_transpose_call, _ source: UnsafePointer<V.Scalar>, _ rows: Int,
    _ target: UnsafeMutablePointer<V.Scalar>, _ columns: Int, _: V.Type
  ) {
    var x = Square<V>(repeating: .zero)
    var i = 0
    while i < V.count {
      if i < rows { x[unchecked: i] = V.load(source + i &* call.source_row_stride, first: columns) }
      i &+= 1
    }
    run(&x)
    i = 0
    while i < V.count {
      if i < columns { x[unchecked: i].store(target + i &* call.target_row_stride, first: rows) }
      i &+= 1
    }
  }
}
