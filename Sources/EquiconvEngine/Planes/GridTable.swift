// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The grids of a plan: one for each phase and group of the three axes.
struct GridTable {
  let grids: FixedArray<OutputGrid>
  /// The numbers of the groups of each grid among those of their axes.
  let places: FixedArray<Box>
  /// The number of each grid, −1 where there is none, by its places.
  private let numbers: FixedArray<Int>
  /// Groups before those of a phase, and all of an axis.
  private let firstGroups: [FixedArray<Int>]
  private let groups: Box

  /// - Parameter keepsUnread: Whether outputs that read nothing are wanted too.
  init(_ axes: [GatherAxis], keepsUnread: Bool) throws(ConvolutionError) {
    firstGroups = try axes.map { axis throws(ConvolutionError) in try axis.firstGroups() }
    groups = Box(z: firstGroups[0].last ?? 0, y: firstGroups[1].last ?? 0, x: firstGroups[2].last ?? 0)
    let numbers = try PlanTable<Int>(repeating: -1, count: groups.volume)
    var grids = try PlanTable<OutputGrid>(capacity: groups.volume)
    var places = try PlanTable<Box>(capacity: groups.volume)
    let plane = Box(z: axes[0].destination, y: axes[1].destination, x: axes[2].destination)
    let lists = try axes.map { axis throws(ConvolutionError) in try Self.list(axis) }
    for (placeZ, z) in lists[0].enumerated() {
      for (placeY, y) in lists[1].enumerated() {
        for (placeX, x) in lists[2].enumerated() {
          if !keepsUnread && !(z.group.isRead && y.group.isRead && x.group.isRead) { continue }
          numbers[(placeZ * groups.y + placeY) * groups.x + placeX] = grids.count
          try places.append(Box(z: placeZ, y: placeY, x: placeX))
          try grids.append(
            OutputGrid(
              size: Box(z: z.group.count, y: y.group.count, x: x.group.count),
              start: Box(z: z.group.place, y: y.group.place, x: x.group.place),
              step: Box(z: z.step, y: y.step, x: x.step), plane: plane))
        }
      }
    }
    self.numbers = numbers.frozen()
    self.grids = grids.frozen()
    self.places = places.frozen()
  }

  /// The groups of all phases, with the step of their outputs.
  private static func list(
    _ axis: GatherAxis
  ) throws(ConvolutionError) -> FixedArray<(step: Int, group: GatherAxis.Group)> {
    var list = PlanTable<(step: Int, group: GatherAxis.Group)>()
    for phase in axis.phases { for group in phase.groups { try list.append((phase.step, group)) } }
    return list.frozen()
  }

  /// The place of a group among all of its axis.
  func place(axis: Int, phase: Int, group: Int) -> Int { firstGroups[axis][phase] + group }

  /// The grid of three places.
  @inline(__always)
  func number(_ z: Int, _ y: Int, _ x: Int) -> Int? {
    let number = numbers[(z * groups.y + y) * groups.x + x]
    return number < 0 ? nil : number
  }
}
