// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension GatherAxis {
  #if EQUICONV_INTERNAL_CHECKS
    /// - Groups cut each phase into neighboring outputs, and no two outputs that are read share a place of the destination.
    /// - Taps read for outputs of their phase: at least for those for which they meet the signal.
    func checkInvariants() throws(ConvolutionError) {
      for phase in phases {
        var next = 0
        for group in phase.groups {
          checkInvariant(group.first == next && group.count >= 0, "groups follow one another")
          next += group.count
        }
        checkInvariant(next == phase.count && phase.step > 0, "groups are the whole phase")
      }
      try checkPlaces()
      for case .some(let tap) in taps {
        checkInvariant(phases.indices.contains(tap.phase) && tap.position >= 0, "taps are read for a phase")
        let phase = phases[tap.phase]
        checkInvariant(
          tap.inside.lowerBound >= 0 && tap.inside.upperBound <= phase.count && tap.groups.lowerBound >= 0
            && tap.groups.upperBound <= phase.groups.count, "taps are read for outputs of their phase")
        if tap.inside.isEmpty { continue }
        let (first, last) = (phase.groups[tap.groups.lowerBound], phase.groups[tap.groups.upperBound - 1])
        checkInvariant(
          first.first <= tap.inside.lowerBound && last.first + last.count >= tap.inside.upperBound,
          "taps are read wherever they meet the signal")
      }
    }

    /// The places of one group: `first`, `first + step`, …, sorted by what distinguishes two that may meet.
    private struct Places: Comparable {
      var residue: Int
      var first: Int
      var last: Int

      static func < (a: Places, b: Places) -> Bool { (a.residue, a.first) < (b.residue, b.first) }
    }

    private func checkPlaces() throws(ConvolutionError) {
      var all = PlanTable<Places>()
      let step = phases.first?.step ?? 1
      for phase in phases {
        checkInvariant(phase.step == step, "phases of an axis have one step")
        for group in phase.groups where group.isRead && group.count > 0 {
          let last = group.place + step * (group.count - 1)
          checkInvariant(group.place >= 0 && last < destination, "outputs lie in the destination")
          try all.append(Places(residue: group.place % step, first: group.place, last: last))
        }
      }
      all.elements.heapsort()
      for index in 1..<max(all.count, 1) {
        let (a, b) = (all[index - 1], all[index])
        checkInvariant(a.residue != b.residue || a.last < b.first, "outputs do not share a place")
      }
    }
  #else
    @inline(__always)
    func checkInvariants() throws(ConvolutionError) {}
  #endif
}
