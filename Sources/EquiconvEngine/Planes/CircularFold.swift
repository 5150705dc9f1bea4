// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The adjoint of circular padding: sums every position of the padded plane into the place it was copied from.
///
/// Only positions that receive anything have a place. Along each axis they are summed in ascending order.
struct CircularFold: Sendable {
  /// Positions of one period at equal distances, in the plane that is folded and in the signal.
  struct Run: Comparable {
    var period: Int
    var coordinate: Int
    var coordinateStep: Int
    var place: Int
    var placeStep: Int
    var count: Int

    static func < (a: Run, b: Run) -> Bool { (a.period, a.coordinate) < (b.period, b.coordinate) }
  }

  /// Positions that receive anything, at equal distances.
  struct Stretch {
    var position: Int
    var positionStep: Int
    var place: Int
    var placeStep: Int
    var count: Int
  }

  let signal: Box
  let padded: Box
  private let padding: Box
  let stretches: [FixedArray<Stretch>]
  /// The number of runs on each axis.
  let runs: Box

  /// - Parameter axes: those of the input gradient onto the padded plane.
  init(_ axes: [GatherAxis], geometry: Geometry) throws(ConvolutionError) {
    signal = geometry.input
    padded = Box(z: axes[0].destination, y: axes[1].destination, x: axes[2].destination)
    padding = geometry.padding
    stretches = [
      try Self.stretches(axes[0], stride: geometry.stride.z), try Self.stretches(axes[1], stride: geometry.stride.y),
      try Self.stretches(axes[2], stride: geometry.stride.x),
    ]
    var runs = signal
    for axis in 0..<3 {
      runs[axis] = Self.runs(stretches[axis], size: signal[axis], padding: padding[axis])
    }
    self.runs = runs
  }

  private static func stretches(_ axis: GatherAxis, stride: Int) throws(ConvolutionError) -> FixedArray<Stretch> {
    var stretches = PlanTable<Stretch>()
    // Whether phases are whole and all there: then they fill the axis.
    var isFull = true
    for phase in axis.phases {
      for group in phase.groups where group.isRead && group.count > 0 {
        isFull = isFull && group.count == phase.count && phase.step == stride
        try stretches.append(
          Stretch(
            position: phase.residue + stride * group.first, positionStep: stride, place: group.place,
            placeStep: phase.step, count: group.count))
      }
    }
    if isFull && stretches.count == stride {
      let whole = Stretch(position: 0, positionStep: 1, place: 0, placeStep: 1, count: axis.destination)
      return try PlanTable<Stretch>(repeating: whole, count: 1).frozen()
    }
    return stretches.frozen()
  }

  // MARK: - Runs

  /// The number of runs on all axes. There may be as many as outputs, so a call writes them into its workspace; the plan holds
  /// none.
  var runCount: Int { runs.z + runs.y + runs.x }

  private static func runs(_ stretches: FixedArray<Stretch>, size: Int, padding: Int) -> Int {
    stretches.reduce(0) { count, stretch in
      if stretch.positionStep > size { return count + stretch.count }
      let last = stretch.position + stretch.positionStep * (stretch.count - 1)
      return count + period(of: last - padding, size) - period(of: stretch.position - padding, size) + 1
    }
  }

  /// The period that a position relative to the signal's first lies in.
  private static func period(of offset: Int, _ size: Int) -> Int {
    (offset - Box.wrapped(offset, size)) / size
  }

  /// Writes `runCount` runs: those of one axis after those of another, each in ascending order.
  func writeRuns(_ runs: UnsafeMutablePointer<Run>) {
    var next = runs
    for axis in 0..<3 {
      let first = next
      for stretch in stretches[axis] { write(stretch, axis, &next) }
      UnsafeMutableBufferPointer(start: first, count: next - first).heapsort()
      checkRuns(UnsafeBufferPointer(start: first, count: next - first), axis: axis)
    }
  }

  private func write(_ stretch: Stretch, _ axis: Int, _ next: inout UnsafeMutablePointer<Run>) {
    let size = signal[axis]
    var done = 0
    while done < stretch.count {
      let position = stretch.position + stretch.positionStep * done
      let coordinate = Box.wrapped(position - padding[axis], size)
      let inPeriod = (size - coordinate + stretch.positionStep - 1) / stretch.positionStep
      let count = min(stretch.count - done, inPeriod)
      next.initialize(
        to: Run(
          period: Self.period(of: position - padding[axis], size), coordinate: coordinate,
          coordinateStep: stretch.positionStep,
          place: stretch.place + stretch.placeStep * done, placeStep: stretch.placeStep, count: count))
      next += 1
      done += count
    }
  }

  // MARK: - Folding

  /// - Parameter runs: as `writeRuns` wrote them.
  func fold<S: EngineScalar>(
    _ source: UnsafePointer<S>, into target: UnsafeMutablePointer<S>, _ runs: UnsafePointer<Run>
  ) {
    target.update(repeating: 0, count: signal.volume)
    let (slices, rows) = (self.runs.z, self.runs.y)
    let columns = UnsafeBufferPointer(start: runs + slices + rows, count: self.runs.x)
    for slice in UnsafeBufferPointer(start: runs, count: slices) {
      for z in 0..<slice.count {
        let plane = target + (slice.coordinate + slice.coordinateStep * z) * signal.y * signal.x
        let fromPlane = source + (slice.place + slice.placeStep * z) * padded.y * padded.x
        for row in UnsafeBufferPointer(start: runs + slices, count: rows) {
          for y in 0..<row.count {
            Self.fold(
              fromPlane + (row.place + row.placeStep * y) * padded.x,
              into: plane + (row.coordinate + row.coordinateStep * y) * signal.x, columns)
          }
        }
      }
    }
  }

  @inline(__always)
  private static func fold<S: EngineScalar>(
    _ source: UnsafePointer<S>, into row: UnsafeMutablePointer<S>, _ columns: UnsafeBufferPointer<Run>
  ) {
    for run in columns {
      let (from, to) = (source + run.place, row + run.coordinate)
      if run.placeStep == 1 && run.coordinateStep == 1 {
        for x in 0..<run.count { to[x] += from[x] }
      } else {
        for x in 0..<run.count { to[run.coordinateStep * x] += from[run.placeStep * x] }
      }
    }
  }
}
