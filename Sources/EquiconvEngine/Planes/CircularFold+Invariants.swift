// SPDX-License-Identifier: Apache-2.0

extension CircularFold {
  #if EQUICONV_INTERNAL_CHECKS
    /// Stretches lie in the plane that is folded.
    func checkInvariants() {
      for axis in 0..<3 {
        for stretch in stretches[axis] {
          checkInvariant(
            stretch.count > 0 && stretch.place >= 0
              && stretch.place + stretch.placeStep * (stretch.count - 1) < padded[axis],
            "stretches lie in the plane that is folded")
        }
      }
    }

    /// Runs map places of the plane that is folded to coordinates of the signal.
    func checkRuns(_ runs: UnsafeBufferPointer<Run>, axis: Int) {
      checkInvariant(runs.count == self.runs[axis], "as many runs are written as were counted")
      for run in runs {
        let last = run.count - 1
        checkInvariant(
          run.count > 0 && run.place >= 0 && run.place + run.placeStep * last < padded[axis],
          "runs lie in the plane that is folded")
        checkInvariant(
          run.coordinate >= 0 && run.coordinate + run.coordinateStep * last < signal[axis], "runs lie in the signal")
      }
    }
  #else
    @inline(__always)
    func checkInvariants() {}
    @inline(__always)
    func checkRuns(_ runs: UnsafeBufferPointer<Run>, axis: Int) {}
  #endif
}
