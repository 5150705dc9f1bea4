// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The grids of a plan: one for each phase and group of the three axes.
struct GridTable {
  private(set) var grids: [OutputGrid] = []
  /// The numbers of the groups of each grid among those of their axes.
  private(set) var places: [Box] = []
  /// The number of each grid, nil where there is none, by its places.
  private var numbers: [Int?] = []
  /// Groups before those of a phase, and all of an axis.
  private let firstGroups: [[Int]]
  private let groups: Box

  /// - Parameter keepsUnread: Whether outputs that read nothing are wanted too.
  init(_ axes: [GatherAxis], keepsUnread: Bool) {
    firstGroups = axes.map { axis in
      axis.phases.reduce(into: [0]) { starts, phase in starts.append(starts[starts.count - 1] + phase.groups.count) }
    }
    groups = Box(z: firstGroups[0].last ?? 0, y: firstGroups[1].last ?? 0, x: firstGroups[2].last ?? 0)
    numbers = [Int?](repeating: nil, count: groups.volume)
    let plane = Box(z: axes[0].destination, y: axes[1].destination, x: axes[2].destination)
    Self.forEach(axes[0]) { phaseZ, z, placeZ in
      Self.forEach(axes[1]) { phaseY, y, placeY in
        Self.forEach(axes[2]) { phaseX, x, placeX in
          if !keepsUnread && !(z.isRead && y.isRead && x.isRead) { return }
          numbers[(placeZ * groups.y + placeY) * groups.x + placeX] = grids.count
          places.append(Box(z: placeZ, y: placeY, x: placeX))
          grids.append(
            OutputGrid(
              size: Box(z: z.count, y: y.count, x: x.count), start: Box(z: z.place, y: y.place, x: x.place),
              step: Box(z: phaseZ.step, y: phaseY.step, x: phaseX.step), plane: plane))
        }
      }
    }
  }

  private static func forEach(
    _ axis: GatherAxis, _ body: (GatherAxis.Phase, GatherAxis.Group, _ place: Int) -> Void
  ) {
    var place = 0
    for phase in axis.phases {
      for group in phase.groups {
        body(phase, group, place)
        place += 1
      }
    }
  }

  /// The place of a group among all of its axis.
  func place(axis: Int, phase: Int, group: Int) -> Int { firstGroups[axis][phase] + group }

  /// The grid of three places.
  @inline(__always)
  func number(_ z: Int, _ y: Int, _ x: Int) -> Int? { numbers[(z * groups.y + y) * groups.x + x] }
}

/// What each element reads for each grid: one entry a term, in canonical order.
struct GridReads: Sendable {
  private let elements: Int
  private var entries: [equiconv_read]
  /// Those of grid g and element e are `starts[g · elements + e] ..< starts[g · elements + e + 1]`.
  private var starts: [Int]
  /// Whether terms are left out for grids for which they meet nothing but zeros.
  let isPartial: Bool
  /// The most reads of one element for one grid.
  private(set) var most = 0

  init(_ stencil: Stencil, _ geometry: Geometry, _ axes: [GatherAxis], _ grids: GridTable, _ layout: PlaneLayout) {
    let offsets = (0..<3).map { TapOffsets(axes[$0], axis: $0, grids, layout) }
    let (elements, volume) = (stencil.outputElements, layout.volume)
    var starts = [Int](repeating: 0, count: grids.grids.count * elements + 1)
    func forEach(_ body: (_ list: Int, _ read: equiconv_read) -> Void) {
      for (element, terms) in stencil.terms.enumerated() {
        Call.pause()
        for term in terms {
          let source = term.element * volume
          offsets[0].forEach(geometry.tap(term.position.z, axis: 0)) { z, offsetZ in
            offsets[1].forEach(geometry.tap(term.position.y, axis: 1)) { y, offsetY in
              offsets[2].forEach(geometry.tap(term.position.x, axis: 2)) { x, offsetX in
                guard let grid = grids.number(z, y, x) else { return }
                body(
                  grid * elements + element,
                  equiconv_read(source: source + offsetZ + offsetY + offsetX, weight: term.coefficient))
              }
            }
          }
        }
      }
    }
    forEach { list, _ in starts[list + 1] += 1 }
    most = starts.max() ?? 0
    for list in 1..<starts.count { starts[list] += starts[list - 1] }
    var entries = [equiconv_read](repeating: equiconv_read(), count: starts[starts.count - 1])
    var next = starts
    forEach { list, read in
      entries[next[list]] = read
      next[list] += 1
    }
    (self.elements, self.entries, self.starts) = (elements, entries, starts)
    isPartial = axes.contains(where: \.isSplit)
  }

  /// The reads of one element for one grid.
  subscript(grid: Int, element: Int) -> ArraySlice<equiconv_read> {
    let list = grid * elements + element
    return entries[starts[list]..<starts[list + 1]]
  }

  /// Calls `body` with the reads of one element for one grid.
  @inline(__always)
  func withReads<R>(grid: Int, element: Int, _ body: (UnsafeBufferPointer<equiconv_read>) -> R) -> R {
    let list = grid * elements + element
    let (start, end) = (starts[list], starts[list + 1])
    return entries.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[start..<end])) }
  }

  /// Reads of all elements for one grid.
  func count(grid: Int) -> Int { starts[(grid + 1) * elements] - starts[grid * elements] }
}

/// What one axis adds to the offset of a read, for each tap and each group that the tap is read for.
private struct TapOffsets {
  /// (place of the group, offset); those of tap t are `starts[t] ..< starts[t + 1]`.
  private var entries: [(place: Int, offset: Int)] = []
  private var starts = [0]

  init(_ axis: GatherAxis, axis number: Int, _ grids: GridTable, _ layout: PlaneLayout) {
    for tap in axis.taps {
      if let tap {
        for group in tap.groups {
          entries.append(
            (
              grids.place(axis: number, phase: tap.phase, group: group),
              layout.offset(of: tap, group: axis.phases[tap.phase].groups[group], axis: number)
            ))
        }
      }
      starts.append(entries.count)
    }
  }

  @inline(__always)
  func forEach(_ tap: Int, _ body: (_ place: Int, _ offset: Int) -> Void) {
    for index in starts[tap]..<starts[tap + 1] { body(entries[index].place, entries[index].offset) }
  }
}
