// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The adjoint of circular padding: sums every position of the padded plane into the place it was copied from.
///
/// Only positions that receive anything have a place. Along each axis they are summed in ascending order.
struct CircularFold: Sendable {
  /// Neighbouring positions, which lie one after another in the plane that is folded and in the signal.
  private struct Run {
    var place: Int
    var coordinate: Int
    var count: Int
  }

  let signal: Box
  let padded: Box
  private let runs: [FixedArray<Run>]

  /// - Parameter axes: those of the input gradient onto the padded plane.
  init(_ axes: [GatherAxis], geometry: Geometry) throws(ConvolutionError) {
    signal = geometry.input
    padded = Box(z: axes[0].destination, y: axes[1].destination, x: axes[2].destination)
    runs = [
      try Self.runs(axes[0], geometry, axis: 0), try Self.runs(axes[1], geometry, axis: 1),
      try Self.runs(axes[2], geometry, axis: 2),
    ]
  }

  private static func runs(
    _ axis: GatherAxis, _ geometry: Geometry, axis number: Int
  ) throws(ConvolutionError) -> FixedArray<Run> {
    let (size, padding) = (geometry.input[number], geometry.padding[number])
    var runs = Table<Run>()
    for stretch in try stretches(axis, stride: geometry.stride[number]) {
      var done = 0
      while done < stretch.count {
        let coordinate = PlaneLayout.wrapped(stretch.position + done - padding, size)
        let count = min(stretch.count - done, size - coordinate)
        try runs.append(Run(place: stretch.place + done, coordinate: coordinate, count: count))
        done += count
      }
    }
    return runs.frozen()
  }

  private struct Stretch: Comparable {
    var position: Int
    var place: Int
    var count: Int

    static func < (a: Stretch, b: Stretch) -> Bool { a.position < b.position }
  }

  /// The positions that receive anything, in ascending order.
  private static func stretches(_ axis: GatherAxis, stride: Int) throws(ConvolutionError) -> FixedArray<Stretch> {
    let groups = axis.phases.flatMap { phase in phase.groups.filter(\.isRead).map { (phase, $0) } }
    // Phases that are whole and all there fill the axis.
    if groups.count == stride && groups.allSatisfy({ $0.1.count == $0.0.count && $0.0.step == stride }) {
      return try Table<Stretch>(repeating: Stretch(position: 0, place: 0, count: axis.destination), count: 1).frozen()
    }
    var stretches = Table<Stretch>()
    for (phase, group) in groups {
      if stride == 1 {
        try stretches.append(Stretch(position: group.first, place: group.place, count: group.count))
        continue
      }
      for output in 0..<group.count {
        try stretches.append(
          Stretch(
            position: phase.residue + stride * (group.first + output), place: group.place + phase.step * output,
            count: 1))
      }
    }
    stretches.elements.heapsort()
    return stretches.frozen()
  }

  func fold<S: EngineScalar>(_ source: UnsafePointer<S>, into target: UnsafeMutablePointer<S>) {
    target.update(repeating: 0, count: signal.volume)
    for slices in runs[0] {
      for z in 0..<slices.count {
        for rows in runs[1] {
          for y in 0..<rows.count {
            let row = target + ((slices.coordinate + z) * signal.y + rows.coordinate + y) * signal.x
            let from = source + ((slices.place + z) * padded.y + rows.place + y) * padded.x
            for run in runs[2] {
              for x in 0..<run.count { row[run.coordinate + x] += from[run.place + x] }
            }
          }
        }
      }
    }
  }
}
