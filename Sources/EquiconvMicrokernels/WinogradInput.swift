// SPDX-License-Identifier: Apache-2.0
//
// The input transform Bᵀ d B of the tiles of one plane, lanes along tiles.
//
//   rows of the plane        Q strips of columns           Q × Q points of vectors of tiles
//   . d d d d d d .   Bᵀ     . s s s s s s .     · B       v v v v   one phase of the columns mod P for each of
//   . d d d d d d .  ---->   . s s s s s s .    ---->      v v v v   the Q columns of a tile, made by `evens`
//   . d d d d d d .          . s s s s s s .                         and `odds`
//
// Transforming the columns first, on pixels as they lie, shares the work of columns that two tiles read.

import _EquiconvShims

/// Input transform of tiles of P × P outputs, Q = P + 2.
struct WinogradInput<V: Lanes, let P: Int, let Q: Int> {
  private typealias Axis = WinogradPoints<V, P, Q>

  @inline(__always)
  static func run(_ call: equiconv_winograd_input_call) {
    var index = 0
    while index < call.run_count {
      transformColumns(call, call.runs[index])
      index &+= 1
    }
    index = 0
    while index < call.vector_count {
      transformRows(call, call.vectors + index &* (P &+ 1))
      index &+= 1
    }
  }

  // MARK: - Columns

  @inline(__always)
  private static func transformColumns(_ call: equiconv_winograd_input_call, _ run: equiconv_winograd_run) {
    let plane = UnsafePointer(call.plane.assumingMemoryBound(to: V.Scalar.self))
    let zeros = UnsafePointer(call.zeros.assumingMemoryBound(to: V.Scalar.self))
    let strips = call.strips.assumingMemoryBound(to: V.Scalar.self) + run.strip
    let places: InlineArray<6, Int> = [
      run.rows.0, run.rows.1, run.rows.2, run.rows.3, run.rows.4, run.rows.5,
    ]
    let rows = InlineArray<Q, UnsafePointer<V.Scalar>> { i in
      places[unchecked: i] < 0 ? zeros : plane + places[unchecked: i]
    }
    prefetch(call, rows, run.length)
    if run.length < V.count {
      transformFewColumns(call, rows, strips, length: run.length)
      return
    }
    var column = 0
    while true {
      transformColumns(rows, column, strips + column, stride: call.strip_stride)
      if column &+ V.count == run.length { return }
      // The last vector begins early and writes some numbers again.
      column = min(column &+ V.count, run.length &- V.count)
    }
  }

  @inline(__always)
  private static func transformColumns(
    _ rows: InlineArray<Q, UnsafePointer<V.Scalar>>, _ column: Int, _ strips: UnsafeMutablePointer<V.Scalar>,
    stride: Int
  ) {
    let points = Axis.input(InlineArray { i in V.load(rows[unchecked: i] + column) })
    var i = 0
    while i < Q {
      points[unchecked: i].store(strips + i &* stride)
      i &+= 1
    }
  }

  /// Asks for the same columns of a plane that comes later: one block of it is too short for the processor to see what
  /// will be read next.
  @inline(__always)
  private static func prefetch(
    _ call: equiconv_winograd_input_call, _ rows: InlineArray<Q, UnsafePointer<V.Scalar>>, _ length: Int
  ) {
    var i = 0
    while i < Q {
      let row = rows[unchecked: i] + call.later_plane
      var column = 0
      while column < length {
        equiconv_prefetch_read(row + column)
        column &+= V.count
      }
      equiconv_prefetch_read(row + (length &- 1))
      i &+= 1
    }
  }

  /// Fewer columns than lanes, through the scratch.
  @inline(__always)
  private static func transformFewColumns(
    _ call: equiconv_winograd_input_call, _ rows: InlineArray<Q, UnsafePointer<V.Scalar>>,
    _ strips: UnsafeMutablePointer<V.Scalar>, length: Int
  ) {
    let scratch = call.scratch.assumingMemoryBound(to: V.Scalar.self)
    var i = 0
    while i < Q {
      copy(rows[unchecked: i], to: scratch + i &* V.count, length)
      i &+= 1
    }
    let copies = InlineArray<Q, UnsafePointer<V.Scalar>> { i in UnsafePointer(scratch + i &* V.count) }
    transformColumns(copies, 0, scratch, stride: V.count)
    i = 0
    while i < Q {
      copy(copies[unchecked: i], to: strips + i &* call.strip_stride, length)
      i &+= 1
    }
  }

  @inline(__always)
  private static func copy(
    _ source: UnsafePointer<V.Scalar>, to destination: UnsafeMutablePointer<V.Scalar>, _ count: Int
  ) {
    var x = 0
    while x < count {
      destination[x] = source[x]
      x &+= 1
    }
  }

  // MARK: - Rows

  /// `vector`: the first tile, then where each P-th of its pixels lies in the strips.
  @inline(__always)
  private static func transformRows(_ call: equiconv_winograd_input_call, _ vector: UnsafePointer<Int>) {
    var strip = UnsafePointer(call.strips.assumingMemoryBound(to: V.Scalar.self))
    var points = call.points.assumingMemoryBound(to: V.Scalar.self) + vector[0]
    var i = 0
    while i < Q {
      let pixels = InlineArray<P, UnsafePointer<V.Scalar>> { part in strip + vector[1 &+ part] }
      let row = Axis.input(P == 4 ? columns4(pixels) : columns2(pixels))
      var j = 0
      while j < Q {
        row[unchecked: j].store(points)
        points += call.point_stride
        j &+= 1
      }
      strip += call.strip_stride
      i &+= 1
    }
  }

  /// Columns 0 ..< 6 of each tile, from tiles that follow each other by 4 pixels.
  @inline(__always)
  private static func columns4(_ pixels: InlineArray<P, UnsafePointer<V.Scalar>>) -> InlineArray<Q, V> {
    var columns = InlineArray<Q, V>(repeating: .zero)
    let (a, b) = (V.load(pixels[unchecked: 0]), V.load(pixels[unchecked: 1]))
    let (c, d) = (V.load(pixels[unchecked: 2]), V.load(pixels[unchecked: 3]))
    let (evenLow, oddLow) = (V.evens(a, b), V.odds(a, b))
    let (evenHigh, oddHigh) = (V.evens(c, d), V.odds(c, d))
    columns[unchecked: 0] = V.evens(evenLow, evenHigh)
    columns[unchecked: 1] = V.evens(oddLow, oddHigh)
    columns[unchecked: 2] = V.odds(evenLow, evenHigh)
    columns[unchecked: 3] = V.odds(oddLow, oddHigh)
    let (e, f) = (V.load(pixels[unchecked: 0] + 4), V.load(pixels[unchecked: 1] + 4))
    let (g, h) = (V.load(pixels[unchecked: 2] + 4), V.load(pixels[unchecked: 3] + 4))
    columns[unchecked: 4] = V.evens(V.evens(e, f), V.evens(g, h))
    columns[unchecked: 5] = V.evens(V.odds(e, f), V.odds(g, h))
    return columns
  }

  /// Columns 0 ..< 4 of each tile, from tiles that follow each other by 2 pixels.
  @inline(__always)
  private static func columns2(_ pixels: InlineArray<P, UnsafePointer<V.Scalar>>) -> InlineArray<Q, V> {
    var columns = InlineArray<Q, V>(repeating: .zero)
    let (a, b) = (V.load(pixels[unchecked: 0]), V.load(pixels[unchecked: 1]))
    let (c, d) = (V.load(pixels[unchecked: 0] + 2), V.load(pixels[unchecked: 1] + 2))
    columns[unchecked: 0] = V.evens(a, b)
    columns[unchecked: 1] = V.odds(a, b)
    columns[unchecked: 2] = V.evens(c, d)
    columns[unchecked: 3] = V.odds(c, d)
    return columns
  }
}

@inline(__always)
func winogradInput<V: Lanes>(_ call: equiconv_winograd_input_call, tile: Int, _: V.Type) {
  if tile == 4 { WinogradInput<V, 4, 6>.run(call) } else { WinogradInput<V, 2, 4>.run(call) }
}
