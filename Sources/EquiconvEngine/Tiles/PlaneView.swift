// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A plane as a lattice element l sees it, who turns it about its center: `view[x] = plane[l x]`, without a copy.
///
/// Rows and columns of the view are rows, columns or both in reverse of the plane that is stored.
struct PlaneView: Sendable {
  /// Extents of the view.
  let size: Box
  /// The scalar of the plane that is at row 0 and column 0 of the view.
  private let start: Int
  /// Scalars of the plane from one row and one column of the view to the next; one of the two is 1 or −1.
  let rowStep: Int
  let columnStep: Int

  /// - Parameter stored: Extents of the plane.
  init(_ stored: Box, turnedBy turn: PlaneCorrelation.Turn) {
    let (extents, strides) = ([stored.y, stored.x], [stored.x, 1])
    var (size, steps, start) = ([0, 0], [0, 0], 0)
    for axis in 0..<2 {
      size[turn.axes[axis]] = extents[axis]
      steps[turn.axes[axis]] = turn.signs[axis] * strides[axis]
      if turn.signs[axis] < 0 { start += (extents[axis] - 1) * strides[axis] }
    }
    self.size = Box(z: 1, y: size[0], x: size[1])
    self.start = start
    (rowStep, columnStep) = (steps[0], steps[1])
  }

  /// The plane as it is.
  init(_ stored: Box) { self.init(stored, turnedBy: .identity(0, sources: 0)) }

  /// Whether rows of the view are rows of the plane, from left to right.
  var hasStoredRows: Bool { columnStep == 1 }

  /// Where the number at a row and a column of the view is in the plane.
  @inline(__always)
  func place(_ y: Int, _ x: Int) -> Int { start + y * rowStep + x * columnStep }

  /// Copies `rows` × `columns` numbers from (y, x) on to rows that are `stride` apart.
  @inline(__always)
  func load<S: EngineScalar>(
    _ plane: UnsafePointer<S>, y: Int, x: Int, rows: Int, columns: Int, into target: UnsafeMutablePointer<S>,
    stride: Int
  ) {
    TurnedCopy(rows: rows, columns: columns, sourceRow: rowStep, sourceColumn: columnStep, targetRow: stride).run(
      plane + place(y, x), target)
  }

  /// Copies `rows` × `columns` numbers from rows that are `stride` apart to (y, x) and on.
  @inline(__always)
  func store<S: EngineScalar>(
    _ source: UnsafePointer<S>, stride: Int, rows: Int, columns: Int, into plane: UnsafeMutablePointer<S>, y: Int,
    x: Int
  ) {
    if rows == 0 || columns == 0 { return }
    // In the order of the plane: its rows are rows or columns of the view, from the first or the last on.
    if abs(columnStep) == 1 {
      let last = columnStep < 0 ? columns - 1 : 0
      TurnedCopy(rows: rows, columns: columns, sourceRow: stride, sourceColumn: columnStep, targetRow: rowStep).run(
        source + last, plane + place(y, x + last))
    } else {
      let last = rowStep < 0 ? rows - 1 : 0
      TurnedCopy(
        rows: columns, columns: rows, sourceRow: 1, sourceColumn: rowStep * stride, targetRow: columnStep
      ).run(source + last * stride, plane + place(y + last, x))
    }
  }
}

/// Copies a rectangle whose rows or columns are contiguous, in either direction, to contiguous rows.
///
/// Places were checked when the passes were planned: arithmetic is not, for these loops are a part of every transform.
private struct TurnedCopy {
  let rows: Int
  let columns: Int
  let sourceRow: Int
  let sourceColumn: Int
  let targetRow: Int

  /// Rows and columns that registers turn at a time.
  @inline(__always)
  private static var side: Int { 4 }

  @inline(__always)
  func run<S: EngineScalar>(_ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>) {
    var (from, to) = (source, target)
    var row = 0
    if sourceColumn == 1 {
      while row < rows {
        to.copy(from: from, count: columns)
        (from, to, row) = (from + sourceRow, to + targetRow, row &+ 1)
      }
    } else if sourceColumn == -1 {
      while row < rows {
        reverse(from, to)
        (from, to, row) = (from + sourceRow, to + targetRow, row &+ 1)
      }
    } else {
      transpose(source, target)
    }
  }

  @inline(__always)
  private func reverse<S: EngineScalar>(_ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>) {
    let whole = columns & (0 &- Self.side)
    var column = 0
    while column < whole {
      let x = Self.get(source - (column &+ Self.side &- 1))
      Self.put(SIMD4(x[3], x[2], x[1], x[0]), target + column)
      column &+= Self.side
    }
    while column < columns {
      (target + column).pointee = (source - column).pointee
      column &+= 1
    }
  }

  /// Columns of the source are contiguous: squares are turned in registers.
  @inline(__always)
  private func transpose<S: EngineScalar>(_ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>) {
    let (wholeRows, wholeColumns) = (rows & (0 &- Self.side), columns & (0 &- Self.side))
    var column = 0
    while column < wholeColumns {
      var (from, to) = (source + column &* sourceColumn, target + column)
      var row = 0
      while row < wholeRows {
        square(from, to)
        (from, to, row) = (from + Self.side &* sourceRow, to + Self.side &* targetRow, row &+ Self.side)
      }
      column &+= Self.side
    }
    var row = 0
    while row < rows {
      column = row < wholeRows ? wholeColumns : 0
      while column < columns {
        let number = (source + (row &* sourceRow &+ column &* sourceColumn)).pointee
        (target + (row &* targetRow &+ column)).pointee = number
        column &+= 1
      }
      row &+= 1
    }
  }

  /// Four columns of the source, from their first rows on or, in reverse, from their last.
  @inline(__always)
  private func square<S: EngineScalar>(_ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>) {
    let isForward = sourceRow == 1
    let first = isForward ? source : source - (Self.side &- 1)
    let a = Self.get(first)
    let b = Self.get(first + sourceColumn)
    let c = Self.get(first + 2 &* sourceColumn)
    let d = Self.get(first + 3 &* sourceColumn)
    let (start, step) = isForward ? (target, targetRow) : (target + 3 &* targetRow, 0 &- targetRow)
    Self.put(SIMD4(a[0], b[0], c[0], d[0]), start)
    Self.put(SIMD4(a[1], b[1], c[1], d[1]), start + step)
    Self.put(SIMD4(a[2], b[2], c[2], d[2]), start + 2 &* step)
    Self.put(SIMD4(a[3], b[3], c[3], d[3]), start + 3 &* step)
  }

  @inline(__always)
  private static func get<S: EngineScalar>(_ pointer: UnsafePointer<S>) -> SIMD4<S> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD4<S>.self)
  }

  @inline(__always)
  private static func put<S: EngineScalar>(_ value: SIMD4<S>, _ pointer: UnsafeMutablePointer<S>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: SIMD4<S>.self)
  }
}
