// SPDX-License-Identifier: Apache-2.0

/// How one plane of a signal lies in the workspace: what is read of the padded plane, split into the phases of the stride.
///
/// With stride s, position q of the padded plane is kept in phase q mod s at index q / s, so that the reads of
/// neighboring outputs are contiguous for every stride. Order: [phase z][phase y][phase x][z][y][x].
struct PlaneLayout: Sendable {
  /// Sizes of the signal.
  let signal: Box
  /// Places in each phase.
  let count: Box
  // Three properties: an array of them would be retained and released for every plane that is filled.
  let z: PlaneAxis
  let y: PlaneAxis
  let x: PlaneAxis

  /// - Throws: `outOfMemory`.
  init(_ axes: [GatherAxis]) throws(ConvolutionError) {
    signal = Box(z: axes[0].signal, y: axes[1].signal, x: axes[2].signal)
    (z, y, x) = (try PlaneAxis(axes[0]), try PlaneAxis(axes[1]), try PlaneAxis(axes[2]))
    count = Box(z: z.count, y: y.count, x: x.count)
  }

  var rowStride: Int { count.x }
  var sliceStride: Int { count.y * count.x }
  var phaseVolume: Int { count.volume }
  var phaseCount: Int { z.phases * y.phases * x.phases }
  /// Scalars of one plane.
  var volume: Int { phaseCount * phaseVolume }

  /// Where tap `tap` of an axis is read for the first output of one of its groups: what it adds to the offset of a read.
  func offset(of tap: GatherAxis.Tap, group: GatherAxis.Group, axis: Int) -> Int {
    let (phase, place) = (axis == 0 ? z : axis == 1 ? y : x).place(of: tap, group)
    switch axis {
    case 0: return phase * y.phases * x.phases * phaseVolume + place * sliceStride
    case 1: return phase * x.phases * phaseVolume + place * rowStride
    default: return phase * phaseVolume + place
    }
  }

  /// Copies one plane of the signal into its padded phases.
  func fill<S: EngineScalar>(_ target: UnsafeMutablePointer<S>, from plane: UnsafePointer<S>) {
    var row = target
    for phaseZ in 0..<z.phases {
      for phaseY in 0..<y.phases {
        for phaseX in 0..<x.phases {
          x.withRows(phase: phaseX) { copyRow in
            z.forEachPlace(phase: phaseZ) { z in
              y.forEachPlace(phase: phaseY) { y in
                if z >= 0 && y >= 0 {
                  copyRow(row, from: plane + (z * signal.y + y) * signal.x)
                } else {
                  row.update(repeating: 0, count: count.x)
                }
                row += count.x
              }
            }
          }
        }
      }
    }
  }
}
