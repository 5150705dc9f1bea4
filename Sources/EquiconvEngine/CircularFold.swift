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
    let (size, padding, stride) = (geometry.input[number], geometry.padding[number], geometry.stride[number])
    var positions: [(position: Int, place: Int)] = []
    for phase in axis.phases {
      for group in phase.groups where group.isRead {
        positions += (0..<group.count).map {
          (phase.residue + stride * (group.first + $0), group.place + phase.step * $0)
        }
      }
    }
    positions.sort { $0.position < $1.position }
    var runs: [Run] = []
    for (position, place) in positions {
      let coordinate = PlaneLayout.wrapped(position - padding, size)
      if let last = runs.last, place == last.place + last.count, coordinate == last.coordinate + last.count {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(place: place, coordinate: coordinate, count: 1))
      }
    }
    return runs
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
