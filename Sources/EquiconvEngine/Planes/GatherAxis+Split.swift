// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

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
  func tapsOfGroups() throws(ConvolutionError) -> FixedArray<Double> {
    let firsts = try firstGroups()
    let taps = try PlanTable<Double>(repeating: 0, count: firsts[phases.count] + 1)
    // Each tap is read for neighboring groups: where it begins and ends is enough.
    for tap in self.taps {
      guard let tap, !tap.groups.isEmpty else { continue }
      taps[firsts[tap.phase] + tap.groups.lowerBound] += 1
      taps[firsts[tap.phase] + tap.groups.upperBound] -= 1
    }
    for place in 1..<taps.count { taps[place] += taps[place - 1] }
    return taps.frozen().part(0..<firsts[phases.count])
  }

  /// Groups of the phases before each phase, and of all.
  func firstGroups() throws(ConvolutionError) -> FixedArray<Int> {
    let firsts = try PlanTable<Int>(repeating: 0, count: phases.count + 1)
    for (number, phase) in phases.enumerated() { firsts[number + 1] = firsts[number] + phase.groups.count }
    return firsts.frozen()
  }

  func load(lanes: Int) throws(ConvolutionError) -> Load {
    let taps = try tapsOfGroups()
    var (load, number) = (Load(), 0)
    for phase in phases {
      for group in phase.groups {
        load.work += Double((group.count - 1) / lanes + 1) * taps[number]
        load.reads += taps[number]
        load.groups += 1
        number += 1
      }
    }
    return load
  }

  /// The axis with its phases cut into groups, and taps read only for the groups in which they meet the signal.
  ///
  /// Groups are as large as they may be while vectors times taps stay within `tolerance` of the least there can be.
  ///
  /// - Parameter lanes: outputs that a vector holds along this axis.
  func split(tolerance: Double, lanes: Int) throws(ConvolutionError) -> GatherAxis {
    let inside = try PlanTable<Range<Int>>.grouped(phases.count) { give in
      for tap in self.taps { if let tap, !tap.inside.isEmpty { give(tap.phase, tap.inside) } }
    }
    let split = try PlanTable<Phase>(count: phases.count) { number throws(ConvolutionError) in
      try phases[number].split(inside[number], tolerance: tolerance, lanes: lanes)
    }.frozen()
    let taps = try PlanTable<Tap?>(count: self.taps.count) { number in
      guard var tap = self.taps[number] else { return nil }
      tap.groups = split[tap.phase].indices(tap.inside)
      return tap
    }
    return GatherAxis(self, destination: destination, phases: split, taps: taps.frozen())
  }

  /// The axis with a destination that has places for groups that are read and for nothing else.
  func compacted() throws(ConvolutionError) -> GatherAxis {
    var end = 0
    let phases = try PlanTable<Phase>(count: self.phases.count) { number throws(ConvolutionError) in
      var phase = self.phases[number]
      phase.step = 1
      let groups = phase.groups
      phase.groups = try PlanTable<Group>(count: groups.count) { number in
        var group = groups[number]
        if group.isRead {
          group.place = end
          end += group.count
        }
        return group
      }.frozen()
      return phase
    }.frozen()
    return GatherAxis(self, destination: end, phases: phases, taps: taps)
  }
}

extension GatherAxis.Phase {
  /// - Parameter inside: the outputs for which each tap meets the signal.
  fileprivate func split(
    _ inside: FixedArray<Range<Int>>, tolerance: Double, lanes: Int
  ) throws(ConvolutionError) -> GatherAxis.Phase {
    let cuts = try AxisCuts(inside, count: count, lanes: lanes)
    let start = groups[0].place
    var split = PlanTable<GatherAxis.Group>()
    try cuts.forEachGroup(tolerance: tolerance) { range throws(ConvolutionError) in
      try split.append(
        GatherAxis.Group(
          first: range.lowerBound, count: range.count, place: start + step * range.lowerBound,
          isRead: cuts.taps(range) > 0))
    }
    var phase = self
    phase.groups = split.frozen()
    return phase
  }

  /// The groups that outputs lie in.
  fileprivate func indices(_ outputs: Range<Int>) -> Range<Int> {
    if outputs.isEmpty { return 0..<0 }
    return index(of: outputs.lowerBound)..<index(of: outputs.upperBound - 1) + 1
  }

  private func index(of output: Int) -> Int { groups.indices.lastOfPrefix { groups[$0].first <= output } }
}
