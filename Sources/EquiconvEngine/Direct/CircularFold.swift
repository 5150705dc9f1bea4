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
  private struct Stretch {
    var position: Int
    var positionStep: Int
    var place: Int
    var placeStep: Int
    var count: Int
  }

  let signal: Box
  let padded: Box
  private let padding: Box
  private let stretches: [FixedArray<Stretch>]

  /// - Parameter axes: those of the input gradient onto the padded plane.
  init(_ axes: [GatherAxis], geometry: Geometry) throws(ConvolutionError) {
    signal = geometry.input
    padded = Box(z: axes[0].destination, y: axes[1].destination, x: axes[2].destination)
    padding = geometry.padding
    stretches = [
      try Self.stretches(axes[0], stride: geometry.stride.z), try Self.stretches(axes[1], stride: geometry.stride.y),
      try Self.stretches(axes[2], stride: geometry.stride.x),
    ]
  }

  private static func stretches(_ axis: GatherAxis, stride: Int) throws(ConvolutionError) -> FixedArray<Stretch> {
    let groups = axis.phases.flatMap { phase in phase.groups.filter { $0.isRead && $0.count > 0 }.map { (phase, $0) } }
    // Phases that are whole and all there fill the axis.
    if groups.count == stride && groups.allSatisfy({ $0.1.count == $0.0.count && $0.0.step == stride }) {
      let whole = Stretch(position: 0, positionStep: 1, place: 0, placeStep: 1, count: axis.destination)
      return try Table<Stretch>(repeating: whole, count: 1).frozen()
    }
    var stretches = try Table<Stretch>(capacity: groups.count)
    for (phase, group) in groups {
      try stretches.append(
        Stretch(
          position: phase.residue + stride * group.first, positionStep: stride, place: group.place,
          placeStep: phase.step, count: group.count))
    }
    return stretches.frozen()
  }

  // MARK: - Runs

  /// The number of runs on all axes. There may be as many as outputs, so a call writes them into its workspace; the plan holds
  /// none.
  var runCount: Int { runCount(0) + runCount(1) + runCount(2) }

  private func runCount(_ axis: Int) -> Int {
    stretches[axis].reduce(0) { count, stretch in
      if stretch.positionStep > signal[axis] { return count + stretch.count }
      let last = stretch.position + stretch.positionStep * (stretch.count - 1)
      return count + period(of: last, axis) - period(of: stretch.position, axis) + 1
    }
  }

  private func period(of position: Int, _ axis: Int) -> Int {
    let offset = position - padding[axis]
    return (offset - PlaneLayout.wrapped(offset, signal[axis])) / signal[axis]
  }

  /// Writes `runCount` runs: those of one axis after those of another, each in ascending order.
  func writeRuns(_ runs: UnsafeMutablePointer<Run>) {
    var next = runs
    for axis in 0..<3 {
      let first = next
      for stretch in stretches[axis] { write(stretch, axis, &next) }
      UnsafeMutableBufferPointer(start: first, count: next - first).heapsort()
    }
  }

  private func write(_ stretch: Stretch, _ axis: Int, _ next: inout UnsafeMutablePointer<Run>) {
    let size = signal[axis]
    var done = 0
    while done < stretch.count {
      let position = stretch.position + stretch.positionStep * done
      let coordinate = PlaneLayout.wrapped(position - padding[axis], size)
      let inPeriod = (size - coordinate + stretch.positionStep - 1) / stretch.positionStep
      let count = min(stretch.count - done, inPeriod)
      next.initialize(
        to: Run(
          period: period(of: position, axis), coordinate: coordinate, coordinateStep: stretch.positionStep,
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
    let (slices, rows) = (runCount(0), runCount(1))
    let columns = UnsafeBufferPointer(start: runs + slices + rows, count: runCount(2))
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
