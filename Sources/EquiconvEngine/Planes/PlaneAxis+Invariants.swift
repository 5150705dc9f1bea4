// SPDX-License-Identifier: Apache-2.0

extension PlaneAxis {
  #if EQUICONV_INTERNAL_CHECKS
    /// - Phases are remainders of the step, each filled by stretches one after another that do not meet.
    /// - As many places are filled as a phase has, from coordinates of the signal or with zeros.
    func checkInvariants() {
      checkInvariant(starts.count == phases + 1 && starts[phases] == runs.count, "each phase has its stretches")
      for phase in 0..<phases {
        let residue = residues[phase]
        checkInvariant(residue >= 0 && residue < step, "phases are remainders of the step")
        checkInvariant(phase == 0 || residues[phase - 1] < residue, "phases ascend")
        var (place, index) = (0, Int.min)
        for run in runs.part(starts[phase]..<starts[phase + 1]) {
          checkInvariant(run.place == place && run.count > 0, "stretches fill a phase without gaps")
          checkInvariant(run.first > index, "stretches ascend and do not meet")
          place += run.count
          index = run.first + run.count
        }
        checkInvariant(place <= count, "stretches lie in their phase")
        // Plans of long axes are made quickly, and checks must not change that.
        if count <= Self.longestWalk { checkPlaces(phase: phase) }
      }
    }

    private static let longestWalk = 1 << 16

    private func checkPlaces(phase: Int) {
      var place = 0
      forEachSegment(phase: phase) { segment in
        checkInvariant(segment.place == place, "segments follow one another")
        checkInvariant(segment.before >= 0 && segment.count >= 0 && segment.after >= 0, "segments have places")
        checkInvariant(
          segment.count == 0
            || segment.coordinate >= 0 && segment.coordinate + step * (segment.count - 1) < signal,
          "places are filled from the signal")
        place += segment.before + segment.count + segment.after
      }
      checkInvariant(place == count, "all places of a phase are filled")
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
