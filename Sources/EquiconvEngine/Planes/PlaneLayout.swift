// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// How one plane of a signal lies in the workspace: what is read of the padded plane, split into the phases of the stride.
///
/// With stride s, position q of the padded plane is kept in phase q mod s at index q / s, so that the reads of
/// neighboring outputs are contiguous for every stride. Order: [phase z][phase y][phase x][z][y][x][image]: planes of
/// `depth` images may lie side by side.
struct PlaneLayout: Sendable {
  /// Sizes of the signal.
  let signal: Box
  /// Places in each phase.
  let count: Box
  // Three properties: an array of them would be retained and released for every plane that is filled.
  let z: PlaneAxis
  let y: PlaneAxis
  let x: PlaneAxis
  /// Images whose numbers lie side by side in each place.
  private(set) var depth: Int

  /// - Throws: `outOfMemory`.
  init(_ axes: [GatherAxis], depth: Int = 1) throws(ConvolutionError) {
    self.depth = depth
    signal = Box(z: axes[0].signal, y: axes[1].signal, x: axes[2].signal)
    (z, y, x) = (try PlaneAxis(axes[0]), try PlaneAxis(axes[1]), try PlaneAxis(axes[2]))
    count = Box(z: z.count, y: y.count, x: x.count)
  }

  /// The layout of planes of more images.
  func with(depth: Int) -> PlaneLayout {
    var layout = self
    layout.depth = depth
    return layout
  }

  var rowStride: Int { count.x * depth }
  var sliceStride: Int { count.y * rowStride }
  var phaseVolume: Int { count.z * sliceStride }
  var phaseCount: Int { z.phases * y.phases * x.phases }
  /// Scalars of one plane of all images that lie side by side.
  var volume: Int { phaseCount * phaseVolume }

  /// Where tap `tap` of an axis is read for the first output of one of its groups: what it adds to the offset of a read.
  func offset(of tap: GatherAxis.Tap, group: GatherAxis.Group, axis: Int) -> Int {
    let (phase, place) = (axis == 0 ? z : axis == 1 ? y : x).place(of: tap, group)
    switch axis {
    case 0: return phase * y.phases * x.phases * phaseVolume + place * sliceStride
    case 1: return phase * x.phases * phaseVolume + place * rowStride
    default: return phase * phaseVolume + place * depth
    }
  }

  /// Whether a padded plane is the plane of the signal, number by number, so that it can be read where it is.
  var isSignal: Bool { depth == 1 && z.isSignal && y.isSignal && x.isSignal }

  /// Copies one plane of the signal into its padded phases.
  func fill<S: EngineScalar>(
    _ target: UnsafeMutablePointer<S>, from plane: UnsafePointer<S>, _ kernels: Microkernels
  ) {
    var phase = target
    for phaseZ in 0..<z.phases {
      for phaseY in 0..<y.phases {
        for phaseX in 0..<x.phases {
          fill(phase, from: plane, Box(z: phaseZ, y: phaseY, x: phaseX), kernels)
          phase += phaseVolume
        }
      }
    }
  }

  private func fill<S: EngineScalar>(
    _ target: UnsafeMutablePointer<S>, from plane: UnsafePointer<S>, _ phase: Box, _ kernels: Microkernels
  ) {
    z.forEachSegment(phase: phase.z) { z in
      var slice = target + z.place * sliceStride
      zero(slice, count: z.before * sliceStride)
      slice += z.before * sliceStride
      for index in 0..<z.count {
        let coordinate = z.coordinate + index * self.z.step
        fillSlice(slice, from: plane + coordinate * signal.y * signal.x * depth, phase, kernels)
        slice += sliceStride
      }
      zero(slice, count: z.after * sliceStride)
    }
  }

  private func fillSlice<S: EngineScalar>(
    _ target: UnsafeMutablePointer<S>, from slice: UnsafePointer<S>, _ phase: Box, _ kernels: Microkernels
  ) {
    y.forEachSegment(phase: phase.y) { y in
      var rows = target + y.place * rowStride
      zero(rows, count: y.before * rowStride)
      rows += y.before * rowStride
      if y.count > 0 {
        x.forEachSegment(phase: phase.x) { x in
          // No place of the signal: then there is nothing to point to.
          let source = x.count == 0 ? slice : slice + (y.coordinate * signal.x + x.coordinate) * depth
          var call = equiconv_pad_call(
            source: source, target: rows + x.place * depth, row_count: y.count,
            source_row_stride: self.y.step * signal.x * depth, target_row_stride: rowStride, step: self.x.step,
            depth: depth, before: x.before, count: x.count, after: x.after)
          kernels.pad(&call)
        }
      }
      zero(rows + y.count * rowStride, count: y.after * rowStride)
    }
  }

  @inline(__always)
  private func zero<S: EngineScalar>(_ target: UnsafeMutablePointer<S>, count: Int) {
    if count > 0 { target.update(repeating: 0, count: count) }
  }
}
