// SPDX-License-Identifier: Apache-2.0

/// Where the values of a network lie while it runs on a share of images: in the caller's arrays, or in one block of
/// memory in which values that are not needed at the same time share a place.
///
/// Values that are the same memory form a group: the result of a step that overwrites what it reads, views, and the
/// parts of a concatenation that are written where they will be read.
package struct Arena: Sendable {
  package enum Store: Hashable, Sendable {
    case input
    case output(Int)
    case block
  }

  /// Where a value lies, in numbers.
  package struct Place: Hashable, Sendable {
    package var store: Store
    /// Of the first image.
    package var start: Int
    /// From one image to the next.
    package var stride: Int
    /// Whether all images of the share have a place; otherwise those of a portion, from its first on.
    package var isWide: Bool
  }

  /// Of each value that a step reads or writes.
  package private(set) var places: [Place?]
  /// Numbers of the block.
  package private(set) var count = 0

  /// - Parameters:
  ///   - counts: numbers of an image of each value.
  ///   - alignment: what groups begin at, in numbers.
  package init(_ program: NetworkProgram, counts: [Int], schedule: Schedule, alignment: Int) {
    let groups = ValueGroups(program, counts: counts, schedule: schedule)
    places = [Place?](repeating: nil, count: counts.count)
    var stores = [Place?](repeating: nil, count: counts.count)
    stores[0] = Place(store: .input, start: 0, stride: counts[0], isWide: true)
    for (number, value) in program.outputs.enumerated() {
      let root = groups.roots[value]
      stores[root] = Place(store: .output(number), start: 0, stride: counts[root], isWide: true)
    }
    var slots = Self.slots(program, groups, counts, schedule, alignment, besides: stores)
    count = Self.place(&slots)
    for slot in slots {
      stores[slot.root] = Place(
        store: .block, start: slot.start, stride: counts[slot.root], isWide: slot.isWide)
    }
    for value in counts.indices {
      guard var place = stores[groups.roots[value]] else { continue }
      place.start += groups.offsets[value]
      places[value] = place
    }
  }

  /// A group in the block.
  private struct Slot {
    let root: Int
    let size: Int
    /// The steps during which it is needed.
    let steps: ClosedRange<Int>
    let isWide: Bool
    var start = 0
  }

  private static func slots(
    _ program: NetworkProgram, _ groups: ValueGroups, _ counts: [Int], _ schedule: Schedule, _ alignment: Int,
    besides stores: [Place?]
  ) -> [Slot] {
    var slots: [Slot] = []
    var segments: [Int] = []
    for (number, segment) in schedule.segments.enumerated() {
      segments += [Int](repeating: number, count: segment.steps.count)
    }
    for (root, steps) in groups.uses(program).enumerated() {
      guard let steps, stores[root] == nil else { continue }
      let (first, last) = (segments[steps.lowerBound], segments[steps.upperBound])
      let isWide = first != last
      // Every portion of the share passes through a segment before it is left.
      let whole = schedule.segments[first].steps.lowerBound...schedule.segments[last].steps.upperBound - 1
      let images = isWide ? schedule.images : schedule.segments[first].images
      let size = (images * counts[root] + alignment - 1) / alignment * alignment
      slots.append(Slot(root: root, size: size, steps: isWide ? whole : steps, isWide: isWide))
    }
    return slots
  }

  /// Places the slots, the largest first, each at the lowest place that is free while it is needed.
  ///
  /// - Returns: the end of the last.
  private static func place(_ slots: inout [Slot]) -> Int {
    slots.sort { ($1.size, $0.steps.lowerBound, $0.root) < ($0.size, $1.steps.lowerBound, $1.root) }
    var end = 0
    var placed: [Slot] = []
    for index in slots.indices {
      var start = 0
      // Those placed are in the order of their starts.
      for other in placed where other.steps.overlaps(slots[index].steps) {
        if start + slots[index].size <= other.start { break }
        start = max(start, other.start + other.size)
      }
      slots[index].start = start
      end = max(end, start + slots[index].size)
      let position = placed.firstIndex { $0.start > start } ?? placed.count
      placed.insert(slots[index], at: position)
    }
    return end
  }
}
