// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension PlaneLayout {
  /// The adjoint of `fill`: what has been added up at the padded places, for one plane of the signal.
  ///
  /// A number without a place is 0, and places around the signal are left out. With zeros around it a number has at most one
  /// place. A number of a circular signal may have one in each period; they are added in one order.
  ///
  /// - Parameter columns: that of this layout.
  func collect<S: EngineScalar>(
    _ phases: UnsafePointer<S>, into plane: UnsafeMutablePointer<S>, _ columns: RowAdjoint
  ) {
    plane.update(repeating: 0, count: signal.volume)
    var row = phases
    for phaseZ in 0..<z.phases {
      for phaseY in 0..<y.phases {
        z.forEachPlace(phase: phaseZ) { z in
          y.forEachPlace(phase: phaseY) { y in
            if z >= 0 && y >= 0 { columns.collect(row, into: plane + (z * signal.y + y) * signal.x) }
            row += rowStride
          }
        }
        row += (x.phases - 1) * phaseVolume
      }
    }
  }
}

/// The adjoint of copying rows: adds the rows of all phases of x, which lie one `phaseVolume` apart, to a row of the signal.
struct RowAdjoint {
  /// Places that lie one behind the other, and the coordinates they go to, `step` apart.
  private struct Stretch {
    var place: Int
    var coordinate: Int
    var count: Int

    /// The part with coordinates from `first` on, and the part with those below `end`.
    func from(_ first: Int, step: Int) -> Stretch {
      let skipped = min(count, max(0, (first - coordinate + step - 1) / step))
      return Stretch(place: place + skipped, coordinate: coordinate + step * skipped, count: count - skipped)
    }
    func below(_ end: Int, step: Int) -> Stretch {
      Stretch(place: place, coordinate: coordinate, count: min(count, max(0, (end - coordinate + step - 1) / step)))
    }
  }

  private let axis: PlaneAxis
  private let phaseVolume: Int
  /// With zeros around the signal, without what is in `pair`.
  private let stretches: [Stretch]
  /// For a step of 2, as far as both phases go: neighboring coordinates, those of one parity and those of the other.
  private let pair: (first: Stretch, second: Stretch)?

  init(_ layout: PlaneLayout) {
    axis = layout.x
    phaseVolume = layout.phaseVolume
    let all = axis.isCircular ? [] : Self.stretches(layout.x, phaseVolume: layout.phaseVolume)
    pair = axis.step == 2 && axis.phases == 2 && all.count == 2 ? Self.pair(all[0], all[1]) : nil
    if let pair {
      let first = pair.first.coordinate
      let end = first + 2 * min(pair.first.count, pair.second.count)
      stretches = all.flatMap { [$0.below(first, step: 2), $0.from(end, step: 2)] }.filter { $0.count > 0 }
    } else {
      stretches = all
    }
  }

  private static func pair(_ a: Stretch, _ b: Stretch) -> (first: Stretch, second: Stretch)? {
    // Their parities differ: the one that begins earlier has the coordinate before the other's first.
    if a.coordinate > b.coordinate { return pair(b, a) }
    let first = a.from(b.coordinate - 1, step: 2)
    return min(first.count, b.count) > 0 ? (first, b) : nil
  }

  private static func stretches(_ axis: PlaneAxis, phaseVolume: Int) -> [Stretch] {
    var stretches: [Stretch] = []
    for phase in 0..<axis.phases {
      axis.forEachSegment(phase: phase) { segment in
        stretches.append(
          Stretch(
            place: phase * phaseVolume + segment.place + segment.before, coordinate: segment.coordinate,
            count: segment.count))
      }
    }
    return stretches
  }

  /// - Parameter row: zeros, or what other rows have added for a circular signal.
  @inline(__always)
  func collect<S: EngineScalar>(_ phases: UnsafePointer<S>, into row: UnsafeMutablePointer<S>) {
    if axis.isCircular {
      addPeriods(phases, to: row)
      return
    }
    let step = axis.step
    if let pair {
      Self.interleave(
        phases + pair.first.place, phases + pair.second.place, into: row + pair.first.coordinate,
        count: min(pair.first.count, pair.second.count))
    }
    for stretch in stretches {
      let (target, values) = (row + stretch.coordinate, phases + stretch.place)
      if step == 1 {
        target.copy(from: values, count: stretch.count)
      } else {
        for index in 0..<stretch.count { target[step &* index] = values[index] }
      }
    }
  }

  private func addPeriods<S: EngineScalar>(_ phases: UnsafePointer<S>, to row: UnsafeMutablePointer<S>) {
    for phase in 0..<axis.phases {
      var value = phases + phase * phaseVolume
      axis.forEachPlace(phase: phase) { coordinate in
        if coordinate >= 0 { row[coordinate] += value.pointee }
        value += 1
      }
    }
  }

  /// row[2 i] = evens[i], row[2 i + 1] = odds[i]. The last vector begins early and writes some numbers again.
  @inline(__always)
  private static func interleave<S: EngineScalar>(
    _ evens: UnsafePointer<S>, _ odds: UnsafePointer<S>, into row: UnsafeMutablePointer<S>, count: Int
  ) {
    let width = SIMD4<S>.scalarCount
    guard count >= width else {
      for index in 0..<count { (row[2 &* index], row[2 &* index &+ 1]) = (evens[index], odds[index]) }
      return
    }
    var index = 0
    while true {
      let a = UnsafeRawPointer(evens + index).loadUnaligned(as: SIMD4<S>.self)
      let b = UnsafeRawPointer(odds + index).loadUnaligned(as: SIMD4<S>.self)
      let target = UnsafeMutableRawPointer(row + 2 &* index)
      target.storeBytes(of: SIMD4(a[0], b[0], a[1], b[1]), as: SIMD4<S>.self)
      (target + MemoryLayout<SIMD4<S>>.size).storeBytes(of: SIMD4(a[2], b[2], a[3], b[3]), as: SIMD4<S>.self)
      if index &+ width == count { return }
      index = min(index &+ width, count &- width)
    }
  }
}
