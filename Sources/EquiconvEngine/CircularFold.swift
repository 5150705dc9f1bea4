// SPDX-License-Identifier: Apache-2.0

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
  private let runs: [[Run]]

  /// - Parameter axes: those of the input gradient onto the padded plane.
  init(_ axes: [GatherAxis], geometry: Geometry) {
    signal = geometry.input
    padded = Box(z: axes[0].destination, y: axes[1].destination, x: axes[2].destination)
    runs = axes.indices.map { Self.runs(axes[$0], geometry, axis: $0) }
  }

  private static func runs(_ axis: GatherAxis, _ geometry: Geometry, axis number: Int) -> [Run] {
    let (size, padding) = (geometry.input[number], geometry.padding[number])
    var runs: [Run] = []
    for stretch in stretches(axis, stride: geometry.stride[number]) {
      var done = 0
      while done < stretch.count {
        let coordinate = PlaneLayout.wrapped(stretch.position + done - padding, size)
        let count = min(stretch.count - done, size - coordinate)
        runs.append(Run(place: stretch.place + done, coordinate: coordinate, count: count))
        done += count
      }
    }
    return runs
  }

  private struct Stretch {
    var position: Int
    var place: Int
    var count: Int
  }

  /// The positions that receive anything, in ascending order.
  private static func stretches(_ axis: GatherAxis, stride: Int) -> [Stretch] {
    let groups = axis.phases.flatMap { phase in phase.groups.filter(\.isRead).map { (phase, $0) } }
    // Phases that are whole and all there fill the axis.
    if groups.count == stride && groups.allSatisfy({ $0.1.count == $0.0.count && $0.0.step == stride }) {
      return [Stretch(position: 0, place: 0, count: axis.destination)]
    }
    let stretches = groups.flatMap { phase, group in
      stride == 1
        ? [Stretch(position: group.first, place: group.place, count: group.count)]
        : (0..<group.count).map {
          Stretch(
            position: phase.residue + stride * (group.first + $0), place: group.place + phase.step * $0, count: 1)
        }
    }
    return stretches.sorted { $0.position < $1.position }
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
