// SPDX-License-Identifier: Apache-2.0

extension PanelSplit {
  #if EQUICONV_INTERNAL_CHECKS
    /// Panels follow one another, are all outputs together, and have widths that kernels support.
    func checkInvariants() {
      var (next, number) = (0, 0)
      forEach { panel in
        checkInvariant(panel.first == next, "panels follow one another")
        checkInvariant(panel.width.nonzeroBitCount == 1 && panel.width <= widest, "widths are those of kernels")
        let same = self[number]
        checkInvariant(same.first == panel.first && same.width == panel.width, "panels are found by their numbers")
        next += panel.width
        number += 1
      }
      checkInvariant(next == outputs && number == count, "panels are all outputs")
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
