// SPDX-License-Identifier: Apache-2.0

extension GatherAxis {
  /// What the groups of an axis cost, added up over them.
  struct Load {
    /// Vectors times taps.
    var work = 0.0
    /// Taps.
    var reads = 0.0
    var groups = 0.0
  }

  /// The taps that are read for each group, phase by phase.
  func tapsOfGroups() -> [Double] {
    var firsts = [0]
    for phase in phases { firsts.append(firsts[firsts.count - 1] + phase.groups.count) }
    var taps = [Double](repeating: 0, count: firsts[firsts.count - 1] + 1)
    // Each tap is read for neighboring groups: where it begins and ends is enough.
    for tap in self.taps {
      guard let tap, !tap.groups.isEmpty else { continue }
      taps[firsts[tap.phase] + tap.groups.lowerBound] += 1
      taps[firsts[tap.phase] + tap.groups.upperBound] -= 1
    }
    for place in 1..<taps.count { taps[place] += taps[place - 1] }
    return taps.dropLast()
  }

  func load(lanes: Int) -> Load {
    zip(phases.lazy.flatMap(\.groups), tapsOfGroups()).reduce(into: Load()) { load, group in
      load.work += Double((group.0.count - 1) / lanes + 1) * group.1
      load.reads += group.1
      load.groups += 1
    }
  }

  /// The axis with its phases cut into groups, and taps read only for the groups in which they meet the signal.
  ///
  /// Groups are as large as they may be while vectors times taps stay within `tolerance` of the least there can be.
  ///
  /// - Parameter lanes: outputs that a vector holds along this axis.
  func split(tolerance: Double, lanes: Int) -> GatherAxis {
    var axis = self
    for phase in phases.indices {
      let inside = taps.compactMap { $0?.phase == phase && $0?.inside.isEmpty == false ? $0?.inside : nil }
      let cuts = AxisCuts(inside, count: phases[phase].count, lanes: lanes)
      let (start, step) = (phases[phase].groups[0].place, phases[phase].step)
      axis.phases[phase].groups = cuts.groups(tolerance: tolerance).map { range in
        Group(
          first: range.lowerBound, count: range.count, place: start + step * range.lowerBound,
          isRead: cuts.taps(range) > 0)
      }
    }
    for number in taps.indices {
      guard let tap = taps[number] else { continue }
      axis.taps[number]?.groups = axis.phases[tap.phase].indices(tap.inside)
    }
    return axis
  }

  /// The axis with a destination that has places for groups that are read and for nothing else.
  func compacted() -> GatherAxis {
    var axis = self
    axis.destination = 0
    for phase in phases.indices {
      axis.phases[phase].step = 1
      for group in phases[phase].groups.indices where phases[phase].groups[group].isRead {
        axis.phases[phase].groups[group].place = axis.destination
        axis.destination += phases[phase].groups[group].count
      }
    }
    return axis
  }
}

extension GatherAxis.Phase {
  /// The groups that outputs lie in.
  fileprivate func indices(_ outputs: Range<Int>) -> Range<Int> {
    if outputs.isEmpty { return 0..<0 }
    return index(of: outputs.lowerBound)..<index(of: outputs.upperBound - 1) + 1
  }

  private func index(of output: Int) -> Int { groups.indices.last { groups[$0].first <= output } }
}

/// Where the taps of one phase begin and cease to meet the signal.
private struct AxisCuts {
  private let count: Int
  private let lanes: Int
  /// First outputs of taps, and those behind the last, each ascending.
  private let lows: [Int]
  private let highs: [Int]
  /// Every output from which on another set of taps meets the signal, and the ends.
  private let places: [Int]
  /// The least vectors times taps of the outputs before each of these places.
  private var least: [Double]

  init(_ inside: [Range<Int>], count: Int, lanes: Int) {
    self.count = count
    self.lanes = lanes
    lows = inside.map(\.lowerBound).sorted()
    highs = inside.map(\.upperBound).sorted()
    places = Set(lows + highs + [0, count]).sorted()
    // No tap meets the signal for more outputs than this, in so many vectors.
    let longest = inside.reduce(1) { max($0, $1.count) }
    let vectorsPerOutput = Double((longest - 1) / lanes + 1) / Double(longest)
    least = [0]
    for (from, to) in zip(places, places.dropFirst()) {
      least.append(least[least.count - 1] + Double(taps(from..<to) * (to - from)) * vectorsPerOutput)
    }
  }

  /// Taps that meet the signal for any of these outputs.
  func taps(_ outputs: Range<Int>) -> Int {
    Self.count(lows, below: outputs.upperBound) - Self.count(highs, below: outputs.lowerBound + 1)
  }

  private static func count(_ values: [Int], below limit: Int) -> Int {
    values.isEmpty || values[0] >= limit ? 0 : values.indices.last { values[$0] < limit } + 1
  }

  /// Vectors times taps of neighboring outputs, were vectors not rounded up.
  private func work(_ outputs: Range<Int>) -> Double {
    max(1, Double(outputs.count) / Double(lanes)) * Double(taps(outputs))
  }

  /// Neighboring outputs are put together while that fills vectors better, or leaves the work within the tolerance.
  func groups(tolerance: Double) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var (start, first) = (0, 0)
    while start < count {
      var last = first + 1
      // The least work of all outputs before `start`.
      let before =
        least[first]
        + (least[last] - least[first]) * Double(start - places[first]) / Double(places[last] - places[first])
      while last + 1 < places.count {
        let (grown, next) = (start..<places[last], start..<places[last + 1])
        // A vector that is not full yet.
        let isBetter =
          next.count <= lanes && work(next) * Double(grown.count) <= work(grown) * Double(next.count)
        if !isBetter && work(next) > tolerance * (least[last + 1] - before) { break }
        last += 1
      }
      var end = places[last]
      // Whole vectors.
      if end < count && end - start > lanes { end = start + (end - start) / lanes * lanes }
      groups.append(start..<end)
      start = end
      while first + 1 < places.count && places[first + 1] <= start { first += 1 }
    }
    return groups
  }
}

extension Range<Int> {
  /// The last index for which a condition holds that holds for the first ones; the first if it holds for none.
  @inline(__always)
  func last(where holds: (Int) -> Bool) -> Int {
    var (low, high) = (lowerBound, upperBound)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if holds(middle) { low = middle } else { high = middle }
    }
    return low
  }
}
