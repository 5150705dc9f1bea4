// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The reads of each element for each grid: one entry for each term, in canonical order.
struct GridReads: Sendable {
  private let elements: Int
  /// Those of grid g and element e are number g · elements + e.
  private let lists: FixedArray<FixedArray<equiconv_read>>
  /// Whether terms are left out for grids for which they meet only zeros.
  let isPartial: Bool
  /// The most reads of one element for one grid.
  let most: Int

  init(
    _ stencil: Stencil, _ geometry: Geometry, _ axes: [GatherAxis], _ grids: GridTable, _ layout: PlaneLayout
  ) throws(ConvolutionError) {
    let offsetsZ = try TapOffsets(axes[0], axis: 0, grids, layout)
    let offsetsY = try TapOffsets(axes[1], axis: 1, grids, layout)
    let offsetsX = try TapOffsets(axes[2], axis: 2, grids, layout)
    let (elements, volume) = (stencil.outputElements, layout.volume)
    lists = try PlanTable<equiconv_read>.grouped(grids.grids.count * elements) { give in
      for (element, terms) in stencil.terms.enumerated() {
        Call.pause()
        for term in terms {
          let source = term.element * volume
          offsetsZ.forEach(geometry.tap(term.position.z, axis: 0)) { z, offsetZ in
            offsetsY.forEach(geometry.tap(term.position.y, axis: 1)) { y, offsetY in
              offsetsX.forEach(geometry.tap(term.position.x, axis: 2)) { x, offsetX in
                guard let grid = grids.number(z, y, x) else { return }
                give(
                  grid * elements + element,
                  equiconv_read(source: source + offsetZ + offsetY + offsetX, weight: term.coefficient))
              }
            }
          }
        }
      }
    }
    most = lists.reduce(0) { max($0, $1.count) }
    self.elements = elements
    isPartial = axes.contains { $0.isSplit }
  }

  /// The reads of one element for one grid.
  subscript(grid: Int, element: Int) -> FixedArray<equiconv_read> { lists[grid * elements + element] }

  /// Calls `body` with the reads of one element for one grid.
  @inline(__always)
  func withReads<R>(grid: Int, element: Int, _ body: (UnsafeBufferPointer<equiconv_read>) -> R) -> R {
    withExtendedLifetime(lists) { body(lists[grid * elements + element].elements) }
  }

  /// Reads of all elements for one grid.
  func count(grid: Int) -> Int {
    (grid * elements..<(grid + 1) * elements).reduce(0) { $0 + lists[$1].count }
  }
}

/// What one axis adds to the offset of a read, for each tap and each group that the tap is read for.
private struct TapOffsets {
  /// (place of the group, offset); those of tap t are `starts[t] ..< starts[t + 1]`.
  private let entries: FixedArray<(place: Int, offset: Int)>
  private let starts: FixedArray<Int>

  init(_ axis: GatherAxis, axis number: Int, _ grids: GridTable, _ layout: PlaneLayout) throws(ConvolutionError) {
    var entries = PlanTable<(place: Int, offset: Int)>()
    var starts = try PlanTable<Int>(repeating: 0, count: 1)
    for tap in axis.taps {
      if let tap {
        for group in tap.groups {
          try entries.append(
            (
              grids.place(axis: number, phase: tap.phase, group: group),
              layout.offset(of: tap, group: axis.phases[tap.phase].groups[group], axis: number)
            ))
        }
      }
      try starts.append(entries.count)
    }
    self.entries = entries.frozen()
    self.starts = starts.frozen()
  }

  @inline(__always)
  func forEach(_ tap: Int, _ body: (_ place: Int, _ offset: Int) -> Void) {
    for index in starts[tap]..<starts[tap + 1] { body(entries[index].place, entries[index].offset) }
  }
}
