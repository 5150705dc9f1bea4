// SPDX-License-Identifier: Apache-2.0

/// The adjoint of circular padding: sums every position of the padded plane into the place it was copied from.
struct CircularFold: Sendable {
  let signal: Box
  let padded: Box
  let padding: Box

  init(geometry: Geometry) {
    signal = geometry.input
    padded = geometry.padded
    padding = geometry.padding
  }

  func fold<S: EngineScalar>(_ source: UnsafePointer<S>, into target: UnsafeMutablePointer<S>) {
    target.update(repeating: 0, count: signal.volume)
    for z in 0..<padded.z {
      let targetZ = PlaneLayout.wrapped(z - padding.z, signal.z)
      for y in 0..<padded.y {
        let targetY = PlaneLayout.wrapped(y - padding.y, signal.y)
        let row = target + (targetZ * signal.y + targetY) * signal.x
        let from = source + (z * padded.y + y) * padded.x
        var x = PlaneLayout.wrapped(-padding.x, signal.x)
        for position in 0..<padded.x {
          row[x] += from[position]
          x += 1
          if x == signal.x { x = 0 }
        }
      }
    }
  }
}
