// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The terms that a plan leaves out for some of its grids: those that meet only the zeros around the signal.
///
/// A finite weight adds nothing there. A weight that is not finite makes the output NaN, since 0 · ∞ is NaN: `starts`
/// starts sums accordingly.
struct LeftOutTerms: Sendable {
  private struct Tap: Sendable {
    /// Places of the groups of its phase, and those that it is read for.
    var phase: Range<Int>
    var read: Range<Int>
  }

  /// Those of each axis, by their number in the kernel.
  private let taps: [FixedArray<Tap?>]
  /// The places of each grid.
  private let places: FixedArray<Box>
  private let geometry: Geometry

  /// - Throws: `outOfMemory`.
  init(_ axes: [GatherAxis], _ grids: GridTable, _ geometry: Geometry) throws(ConvolutionError) {
    places = grids.places
    self.geometry = geometry
    taps = try axes.indices.map { number throws(ConvolutionError) in
      let axis = axes[number]
      return try PlanTable<Tap?>(count: axis.taps.count) { tap in
        guard let tap = axis.taps[tap] else { return nil }
        let first = grids.place(axis: number, phase: tap.phase, group: 0)
        return Tap(
          phase: first..<first + axis.phases[tap.phase].groups.count,
          read: first + tap.groups.lowerBound..<first + tap.groups.upperBound)
      }.frozen()
    }
  }

  private func isLeftOut(_ term: Stencil.Term, grid: Int) -> Bool {
    var isRead = true
    for axis in 0..<3 {
      let place = places[grid][axis]
      guard let tap = taps[axis][geometry.tap(term.position[axis], axis: axis)], tap.phase.contains(place) else {
        return false
      }
      isRead = isRead && tap.read.contains(place)
    }
    return !isRead
  }

  /// The start of the sums of one element for one grid: the bias, or NaN if the weight of a term left out is not
  /// finite.
  ///
  /// - Parameter weights: packed; see `PanelSplit`.
  func starts<S: EngineScalar>(
    _ starts: UnsafeMutablePointer<S>, bias: UnsafePointer<S>?, grid: Int, _ terms: FixedArray<Stencil.Term>,
    weights: UnsafePointer<S>, _ split: PanelSplit, channels: Int, coefficients: Int
  ) {
    split.forEach { panel in
      for m in 0..<panel.width { starts[panel.first + m] = bias?[panel.first + m] ?? 0 }
    }
    for term in terms where isLeftOut(term, grid: grid) {
      split.forEach { panel in
        for channel in 0..<channels {
          let row =
            weights + panel.first * channels * coefficients
            + (channel * coefficients + term.coefficient) * panel.width
          for m in 0..<panel.width where !row[m].isFinite { starts[panel.first + m] = .nan }
        }
      }
    }
  }
}
