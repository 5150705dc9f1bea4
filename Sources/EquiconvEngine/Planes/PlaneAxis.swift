// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// One axis of a `PlaneLayout`: the stretches of padded positions that are read, one after another in each phase.
///
/// Positions between them are not kept. All reads that meet only zeros share one stretch of zeros.
struct PlaneAxis: Sendable {
  /// Indices of one phase, from `first` on, that lie at `place` and behind it.
  struct Run {
    var first: Int
    var count: Int
    var place: Int
  }

  let signal: Int
  let origin: Int
  let step: Int
  let isCircular: Bool
  /// The remainders of positions modulo the step that are read, ascending.
  let residues: FixedArray<Int>
  /// Those of phase p are `starts[p] ..< starts[p + 1]`.
  let runs: FixedArray<Run>
  let starts: FixedArray<Int>
  /// Where the zeros lie, in phase 0.
  private let zeros: Int
  /// Places in each phase.
  let count: Int

  var phases: Int { residues.count }

  init(_ axis: GatherAxis) throws(ConvolutionError) {
    signal = axis.signal
    origin = axis.origin
    step = axis.step
    isCircular = axis.isCircular
    var reads = Table<Read>()
    var mostZeros = 0
    for tap in axis.taps {
      guard let tap else { continue }
      for group in tap.groups {
        let read = Self.read(tap, axis.phases[tap.phase].groups[group], step: axis.step)
        if Self.isOutside(read, axis) { mostZeros = max(mostZeros, read.count) } else { try reads.append(read) }
      }
    }
    reads.elements.heapsort()
    (residues, runs, starts) = try Self.runs(reads.elements, step: step)
    var most = 1
    for phase in residues.indices { most = max(most, Self.length(runs, starts, phase)) }
    zeros = Self.length(runs, starts, 0)
    // A grid that nothing contributes to still needs a plane to point into.
    count = max(most, zeros + mostZeros)
  }

  /// The stretches of sorted reads, for each residue.
  private static func runs(
    _ reads: UnsafeMutableBufferPointer<Read>, step: Int
  ) throws(ConvolutionError) -> (residues: FixedArray<Int>, runs: FixedArray<Run>, starts: FixedArray<Int>) {
    var residues = Table<Int>()
    var runs = Table<Run>()
    var starts = Table<Int>()
    for read in reads {
      let first = read.position / step
      if residues.count == 0 || residues[residues.count - 1] != read.residue {
        try residues.append(read.residue)
        try starts.append(runs.count)
        try runs.append(Run(first: first, count: read.count, place: 0))
        continue
      }
      let last = runs[runs.count - 1]
      if first <= last.first + last.count {
        runs[runs.count - 1].count = max(last.count, first + read.count - last.first)
      } else {
        try runs.append(Run(first: first, count: read.count, place: last.place + last.count))
      }
    }
    if residues.count == 0 {
      try residues.append(0)
      try starts.append(0)
    }
    try starts.append(runs.count)
    return (residues.frozen(), runs.frozen(), starts.frozen())
  }

  /// Places of a phase that are not zeros.
  private static func length(_ runs: FixedArray<Run>, _ starts: FixedArray<Int>, _ phase: Int) -> Int {
    if starts[phase] == starts[phase + 1] { return 0 }
    let last = runs[starts[phase + 1] - 1]
    return last.place + last.count
  }

  // MARK: - Reads

  /// Positions that the outputs of a group read through a tap: `position`, `position + step`, …
  private struct Read: Comparable {
    /// The remainder of the position modulo the step.
    var residue: Int
    var position: Int
    var count: Int

    static func < (a: Read, b: Read) -> Bool { (a.residue, a.position) < (b.residue, b.position) }
  }

  private static func read(_ tap: GatherAxis.Tap, _ group: GatherAxis.Group, step: Int) -> Read {
    let position = tap.position + step * group.first
    return Read(residue: position % step, position: position, count: group.count)
  }

  /// Whether all that is read are zeros around the signal.
  private static func isOutside(_ read: Read, _ axis: GatherAxis) -> Bool {
    let first = axis.origin + read.position
    return !axis.isCircular && (first >= axis.signal || first + axis.step * (read.count - 1) < 0)
  }

  /// The phase and place of what a tap reads for the first output of a group.
  func place(of tap: GatherAxis.Tap, _ group: GatherAxis.Group) -> (phase: Int, place: Int) {
    let read = Self.read(tap, group, step: step)
    let first = origin + read.position
    if !isCircular && (first >= signal || first + step * (read.count - 1) < 0) { return (0, zeros) }
    let (residue, index) = (read.position % step, read.position / step)
    let phase = residues.firstPlace(notBelow: residue)
    let run = runs[(starts[phase]..<starts[phase + 1]).lastOfPrefix { runs[$0].first <= index }]
    return (phase, run.place + index - run.first)
  }

  // MARK: - Filling

  /// Calls `body` with the signal coordinate of each place of a phase in turn, or −1 where there are zeros.
  @inline(__always)
  func forEachPlace(phase: Int, _ body: (_ coordinate: Int) -> Void) {
    var place = 0
    withExtendedLifetime(runs) {
      for run in runs.elements[starts[phase]..<starts[phase + 1]] {
        var position = origin + step * run.first + residues[phase]
        if isCircular {
          position = Box.wrapped(position, signal)
          let advance = step % signal
          for _ in 0..<run.count {
            body(position)
            position += advance
            if position >= signal { position -= signal }
          }
        } else {
          for _ in 0..<run.count {
            body(position >= 0 && position < signal ? position : -1)
            position += step
          }
        }
        place += run.count
      }
    }
    while place < count {
      body(-1)
      place += 1
    }
  }

  /// Calls `body` with what copies rows of a phase.
  @inline(__always)
  func withRows(phase: Int, _ body: (RowCopy) -> Void) {
    withExtendedLifetime(runs) {
      body(RowCopy(self, UnsafeBufferPointer(rebasing: runs.elements[starts[phase]..<starts[phase + 1]]), phase: phase))
    }
  }

  /// Copies rows of one phase. Almost always there is one stretch, which is worked out once for all rows.
  struct RowCopy {
    private let runs: UnsafeBufferPointer<Run>
    private let signal: Int
    private let step: Int
    private let isCircular: Bool
    private let count: Int
    /// The signal coordinate of index 0.
    private let first: Int
    private let piece: Piece

    /// A stretch of places of which `low ..< high` have a signal coordinate, the first of them `source`.
    struct Piece {
      var low = 0
      var high = 0
      var source = 0
    }

    fileprivate init(_ axis: PlaneAxis, _ runs: UnsafeBufferPointer<Run>, phase: Int) {
      self.runs = runs
      (signal, step, isCircular, count) = (axis.signal, axis.step, axis.isCircular, axis.count)
      first = axis.origin + axis.residues[phase]
      piece = runs.count == 1 ? Self.piece(first + step * runs[0].first, runs[0].count, step, signal) : Piece()
    }

    /// Indices with 0 ≤ first + step · index < signal.
    @inline(__always)
    static func piece(_ first: Int, _ count: Int, _ step: Int, _ signal: Int) -> Piece {
      let low = min(count, first >= 0 ? 0 : (-first + step - 1) / step)
      let high = first >= signal ? low : max(low, min(count, (signal - 1 - first) / step + 1))
      return Piece(low: low, high: high, source: first + step * low)
    }

    @inline(__always)
    func callAsFunction<S: EngineScalar>(_ row: UnsafeMutablePointer<S>, from source: UnsafePointer<S>) {
      if runs.count == 1 && !isCircular {
        copy(row, count, from: source, piece)
      } else {
        copyRuns(row, from: source)
      }
    }

    private func copyRuns<S: EngineScalar>(_ row: UnsafeMutablePointer<S>, from source: UnsafePointer<S>) {
      var end = 0
      for run in runs {
        let first = first + step * run.first
        if isCircular {
          copyPeriods(row + run.place, run.count, from: source, first: first)
        } else {
          copy(row + run.place, run.count, from: source, Self.piece(first, run.count, step, signal))
        }
        end = run.place + run.count
      }
      for place in end..<count { row[place] = 0 }
    }

    /// Copies what lies at a piece's coordinates; zeros before and behind it.
    @inline(__always)
    private func copy<S: EngineScalar>(
      _ row: UnsafeMutablePointer<S>, _ count: Int, from source: UnsafePointer<S>, _ piece: Piece
    ) {
      for index in 0..<piece.low { row[index] = 0 }
      let (target, length) = (row + piece.low, piece.high - piece.low)
      if step == 1 {
        if length > 0 { target.update(from: source + piece.source, count: length) }
      } else if step == 2 {
        Self.everySecond(target, from: source + piece.source, count: length)
      } else {
        var position = piece.source
        for index in 0..<length {
          target[index] = source[position]
          position += step
        }
      }
      for index in piece.high..<count { row[index] = 0 }
    }

    /// row[i] = source[2 i]. The last vector begins early and writes some numbers again.
    @inline(__always)
    private static func everySecond<S: EngineScalar>(
      _ row: UnsafeMutablePointer<S>, from source: UnsafePointer<S>, count: Int
    ) {
      let width = SIMD4<S>.scalarCount
      guard count >= width else {
        for index in 0..<count { row[index] = source[2 &* index] }
        return
      }
      var index = 0
      while true {
        // Overlapping loads: nothing behind the last number wanted is read.
        let position = source + 2 &* index
        let a = UnsafeRawPointer(position).loadUnaligned(as: SIMD4<S>.self)
        let b = UnsafeRawPointer(position + 3).loadUnaligned(as: SIMD4<S>.self)
        UnsafeMutableRawPointer(row + index).storeBytes(of: SIMD4(a[0], a[2], b[1], b[3]), as: SIMD4<S>.self)
        if index &+ width == count { return }
        index = min(index &+ width, count &- width)
      }
    }

    private func copyPeriods<S: EngineScalar>(
      _ row: UnsafeMutablePointer<S>, _ count: Int, from source: UnsafePointer<S>, first: Int
    ) {
      var position = Box.wrapped(first, signal)
      let advance = step % signal
      for index in 0..<count {
        row[index] = source[position]
        position += advance
        if position >= signal { position -= signal }
      }
    }
  }
}
