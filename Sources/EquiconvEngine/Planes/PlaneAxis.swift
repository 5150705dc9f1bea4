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
  private let origin: Int
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
    var reads = PlanTable<Read>()
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
    var residues = PlanTable<Int>()
    var runs = PlanTable<Run>()
    var starts = PlanTable<Int>()
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

  /// Neighboring places of a phase: zeros, then coordinates of the signal one step apart, then zeros.
  struct Segment {
    var place: Int
    var before: Int
    var count: Int
    /// The first coordinate.
    var coordinate: Int
    var after: Int
  }

  /// Calls `body` with the segments of a phase, from its first place to its last. Almost always there is one.
  @inline(__always)
  func forEachSegment(phase: Int, _ body: (Segment) -> Void) {
    // What follows the last stretch are zeros, which may belong to its segment.
    var last = Segment(place: 0, before: 0, count: 0, coordinate: 0, after: 0)
    var isFirst = true
    withExtendedLifetime(runs) {
      for run in runs.elements[starts[phase]..<starts[phase + 1]] {
        let first = origin + step * run.first + residues[phase]
        if isCircular {
          forEachPeriod(run, first: Box.wrapped(first, signal)) { segment in
            if !isFirst { body(last) }
            (last, isFirst) = (segment, false)
          }
        } else {
          if !isFirst { body(last) }
          (last, isFirst) = (segment(run, first: first), false)
        }
      }
    }
    last.after = count - last.place - last.before - last.count
    body(last)
  }

  /// Calls `body` with the signal coordinate of each place of a phase in turn, or −1 where there are zeros.
  @inline(__always)
  func forEachPlace(phase: Int, _ body: (_ coordinate: Int) -> Void) {
    forEachSegment(phase: phase) { segment in
      for _ in 0..<segment.before { body(-1) }
      for index in 0..<segment.count { body(segment.coordinate + step * index) }
      for _ in 0..<segment.after { body(-1) }
    }
  }

  /// Whether the places are the coordinates of the signal.
  var isSignal: Bool {
    if phases > 1 || step > 1 || count != signal { return false }
    var isSignal = true
    forEachSegment(phase: 0) { isSignal = isSignal && $0.count == signal && $0.coordinate == 0 }
    return isSignal
  }

  /// A stretch of which some places may lie in front of the signal or behind it.
  @inline(__always)
  private func segment(_ run: Run, first: Int) -> Segment {
    let low = min(run.count, first >= 0 ? 0 : (-first + step - 1) / step)
    let high = first >= signal ? low : max(low, min(run.count, (signal - 1 - first) / step + 1))
    return Segment(
      place: run.place, before: low, count: high - low, coordinate: first + step * low, after: run.count - high)
  }

  /// The parts of a stretch between which coordinates start again.
  @inline(__always)
  private func forEachPeriod(_ run: Run, first: Int, _ body: (Segment) -> Void) {
    var (position, place) = (first, run.place)
    let end = run.place + run.count
    while place < end {
      let count = min(end - place, (signal - position + step - 1) / step)
      body(Segment(place: place, before: 0, count: count, coordinate: position, after: 0))
      place += count
      position = (position + step * count) % signal
    }
  }
}
