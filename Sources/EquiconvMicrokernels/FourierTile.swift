// SPDX-License-Identifier: Apache-2.0
//
// fourierForward, fourierInverse: spectra of real n × n tiles, one tile a lane.
//
// Only independent frequencies are kept. Rows are real, so their spectra are transformed in pairs, row r as real and row
// r + 1 as imaginary part, and taken apart by symmetry; of the columns 0 ... n/2 of these, columns 0 and n/2 are real and
// go through one complex transform together:
//   points (kx − 1) n + ky       of column kx = 1 ..< n/2, all ky
//          (n/2 − 1) n + ky      of column 0, ky = 0 ... n/2
//          n²/2 − n/2 + 1 + ky   of column n/2, ky = 0 ... n/2
// Halves are left out: the forward transform is twice, the inverse transform n² times what its formula says.

import _EquiconvShims

struct FourierTile<V: Lanes, let A: Int> {
  private let call: equiconv_fourier_call
  /// Two rows: [row][column].
  private let rows: UnsafeMutablePointer<V.Scalar>
  /// One sequence, and what lies between the steps of a transform: [element][re, im].
  private let sequence: ComplexSequence<V>
  private let between: UnsafeMutablePointer<V.Scalar>
  /// Half spectra of the rows: [column][row][re, im]; column 0 holds columns 0 and n/2, both real.
  private let columns: UnsafeMutablePointer<V.Scalar>

  @inline(__always) private var n: Int { 4 &* A }
  @inline(__always) private var half: Int { 2 &* A }

  @inline(__always)
  init(_ call: equiconv_fourier_call) {
    self.call = call
    let n = 4 &* A
    rows = call.scratch.assumingMemoryBound(to: V.Scalar.self)
    sequence = ComplexSequence(base: rows + 2 &* n &* V.count, stride: 2 &* V.count, imaginary: V.count)
    between = sequence.base + 2 &* n &* V.count
    columns = between + 2 &* n &* V.count
  }

  @inline(__always)
  private func wrapped(_ index: Int) -> Int { index >= n ? index &- n : index }

  @inline(__always)
  private func column(_ k: Int) -> ComplexSequence<V> {
    ComplexSequence(base: columns + k &* 2 &* n &* V.count, stride: 2 &* V.count, imaginary: V.count)
  }

  /// The points of a spectrum from `first` on.
  @inline(__always)
  private func points(_ first: Int) -> ComplexSequence<V> {
    ComplexSequence(
      base: call.spectrum.assumingMemoryBound(to: V.Scalar.self) + first &* call.point_stride,
      stride: call.point_stride, imaginary: V.count)
  }

  @inline(__always)
  private func transform(_ source: ComplexSequence<V>, into target: ComplexSequence<V>) {
    Fourier<V, A>.transform(
      source, into: target, twiddles: call.twiddles.assumingMemoryBound(to: V.Scalar.self), scratch: between)
  }

  /// A pair of rows: row r as real, row r + 1 as imaginary part.
  @inline(__always)
  private var pair: ComplexSequence<V> { ComplexSequence(base: rows, stride: V.count, imaginary: n &* V.count) }

  // MARK: - Forward

  @inline(__always)
  func forward() {
    var i = 0
    while i < call.row_count {
      gather(i, into: rows)
      if i &+ 1 < call.row_count {
        gather(i &+ 1, into: rows + n &* V.count)
      } else {
        Self.clear(rows + n &* V.count, n)
      }
      transform(pair, into: sequence)
      splitRows(wrapped(call.first_row &+ i), wrapped(call.first_row &+ i &+ 1))
      i &+= 2
    }
    clearRows()
    var k = 1
    while k < half {
      transform(column(k), into: points((k &- 1) &* n))
      k &+= 1
    }
    transform(column(0), into: sequence)
    splitRealColumns()
  }

  /// Row `i` of each lane's tile, transposed into vectors of one column each.
  @inline(__always)
  private func gather(_ i: Int, into row: UnsafeMutablePointer<V.Scalar>) {
    var j = 0
    while j < call.column_count {
      var x = Transposition.Square<V>(repeating: .zero)
      var l = 0
      while l < V.count {
        let lane = UnsafePointer(call.lanes[l].assumingMemoryBound(to: V.Scalar.self))
        x[unchecked: l] = V.load(lane + (i &* call.row_stride &+ j))
        l &+= 1
      }
      Transposition.run(&x)
      l = 0
      while l < V.count {
        if j &+ l < call.column_count {
          x[unchecked: l].store(row + wrapped(call.first_column &+ j &+ l) &* V.count)
        }
        l &+= 1
      }
      j &+= V.count
    }
    j = call.column_count
    while j < n {
      V.zero.store(row + wrapped(call.first_column &+ j) &* V.count)
      j &+= 1
    }
  }

  /// Z = A + iB of two real rows: A[k] = (Z[k] + Z*[n − k]) / 2, B[k] = −i (Z[k] − Z*[n − k]) / 2, without the halves.
  @inline(__always)
  private func splitRows(_ a: Int, _ b: Int) {
    let (first, middle) = (sequence[0], sequence[half])
    column(0)[a] = Complex(first.re, middle.re)
    column(0)[b] = Complex(first.im, middle.im)
    var k = 1
    while k < half {
      let (z, w) = (sequence[k], sequence[n &- k])
      column(k)[a] = Complex(V.add(z.re, w.re), V.subtract(z.im, w.im))
      column(k)[b] = Complex(V.add(z.im, w.im), V.subtract(w.re, z.re))
      k &+= 1
    }
  }

  /// The rows outside of the tile's content.
  @inline(__always)
  private func clearRows() {
    var i = call.row_count
    while i < n {
      let row = wrapped(call.first_row &+ i)
      var k = 0
      while k < half {
        column(k)[row] = Complex(.zero, .zero)
        k &+= 1
      }
      i &+= 1
    }
  }

  @inline(__always)
  private func splitRealColumns() {
    let (low, high) = (points((half &- 1) &* n), points((half &- 1) &* n &+ half &+ 1))
    var k = 0
    while k <= half {
      let (z, w) = (sequence[k], sequence[k == 0 ? 0 : n &- k])
      low[k] = Complex(V.add(z.re, w.re), V.subtract(z.im, w.im))
      high[k] = Complex(V.add(z.im, w.im), V.subtract(w.re, z.re))
      k &+= 1
    }
  }

  @inline(__always)
  private static func clear(_ target: UnsafeMutablePointer<V.Scalar>, _ vectors: Int) {
    var i = 0
    while i < vectors {
      V.zero.store(target + i &* V.count)
      i &+= 1
    }
  }

  // MARK: - Inverse

  @inline(__always)
  func inverse() {
    joinRealColumns()
    transform(sequence.swapped, into: column(0).swapped)
    var k = 1
    while k < half {
      transform(points((k &- 1) &* n).swapped, into: column(k).swapped)
      k &+= 1
    }
    var i = 0
    while i < call.row_count {
      joinRows(wrapped(call.first_row &+ i), wrapped(call.first_row &+ i &+ 1))
      transform(sequence.swapped, into: pair.swapped)
      scatter(i, from: rows)
      if i &+ 1 < call.row_count { scatter(i &+ 1, from: rows + n &* V.count) }
      i &+= 2
    }
  }

  @inline(__always)
  private func joinRealColumns() {
    let (low, high) = (points((half &- 1) &* n), points((half &- 1) &* n &+ half &+ 1))
    var k = 0
    while k <= half {
      let (a, b) = (low[k], high[k])
      if k > 0 { sequence[n &- k] = Complex(V.add(a.re, b.im), V.subtract(b.re, a.im)) }
      sequence[k] = Complex(V.subtract(a.re, b.im), V.add(a.im, b.re))
      k &+= 1
    }
  }

  @inline(__always)
  private func joinRows(_ first: Int, _ second: Int) {
    let (p, q) = (column(0)[first], column(0)[second])
    sequence[0] = Complex(p.re, q.re)
    sequence[half] = Complex(p.im, q.im)
    var k = 1
    while k < half {
      let (a, b) = (column(k)[first], column(k)[second])
      sequence[k] = Complex(V.subtract(a.re, b.im), V.add(a.im, b.re))
      sequence[n &- k] = Complex(V.add(a.re, b.im), V.subtract(b.re, a.im))
      k &+= 1
    }
  }

  /// Columns of one row, transposed back; only what a lane has room for is stored.
  @inline(__always)
  private func scatter(_ i: Int, from row: UnsafeMutablePointer<V.Scalar>) {
    let bias = V.broadcast(call.bias.assumingMemoryBound(to: V.Scalar.self))
    var j = 0
    while j < call.column_count {
      var x = Transposition.Square<V>(repeating: .zero)
      var l = 0
      while l < V.count {
        // Beyond the last column any number will do.
        let column = wrapped(call.first_column &+ min(j &+ l, call.column_count &- 1))
        x[unchecked: l] = V.add(V.load(row + column &* V.count), bias)
        l &+= 1
      }
      Transposition.run(&x)
      l = 0
      while l < V.count {
        let room = call.lane_rows[l] > i ? call.lane_columns[l] &- j : 0
        let target = call.lanes[l].assumingMemoryBound(to: V.Scalar.self) + (i &* call.row_stride &+ j)
        if room >= V.count {
          x[unchecked: l].store(target)
        } else if room > 0 {
          x[unchecked: l].store(target, first: room)
        }
        l &+= 1
      }
      j &+= V.count
    }
  }
}

@inline(__always)
func fourierForward<V: Lanes>(_ call: equiconv_fourier_call, _: V.Type) {
  switch call.length {
  case 8: FourierTile<V, 2>(call).forward()
  case 12: FourierTile<V, 3>(call).forward()
  case 16: FourierTile<V, 4>(call).forward()
  case 20: FourierTile<V, 5>(call).forward()
  case 24: FourierTile<V, 6>(call).forward()
  default: FourierTile<V, 8>(call).forward()
  }
}

@inline(__always)
func fourierInverse<V: Lanes>(_ call: equiconv_fourier_call, _: V.Type) {
  switch call.length {
  case 8: FourierTile<V, 2>(call).inverse()
  case 12: FourierTile<V, 3>(call).inverse()
  case 16: FourierTile<V, 4>(call).inverse()
  case 20: FourierTile<V, 5>(call).inverse()
  case 24: FourierTile<V, 6>(call).inverse()
  default: FourierTile<V, 8>(call).inverse()
  }
}
