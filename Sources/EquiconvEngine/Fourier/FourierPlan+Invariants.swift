// SPDX-License-Identifier: Apache-2.0

extension FourierPlan {
  #if EQUICONV_INTERNAL_CHECKS
    /// - Tiles cover the target; outputs, their gradients and kernels lie in a tile.
    /// - Turns permute the points, and contributions are those permutations undone.
    /// - Taps lie in the kernel and are coefficients.
    func checkInvariants() {
      grid.checkInvariants(correlation.target)
      checkInvariant(Self.lengths.contains(length), "microkernels transform tiles of this length")
      checkInvariant(
        outputs.y + correlation.reach.y - 1 == length && outputs.x + correlation.reach.x - 1 == length,
        "tiles overlap by the reach")
      checkInvariant(order.sorted() == Array(0..<points), "each point is taken once")
      for (bank, all) in reads.enumerated() {
        checkInvariant(all.count == correlation.banks[bank].turns.count, "each turn has its points")
        for (turn, reads) in all.enumerated() { check(reads, contributions[bank][turn]) }
      }
      for tap in taps.lazy.flatMap({ $0 }).lazy.flatMap({ $0 }) {
        checkInvariant(tap.place >= 0 && tap.place < correlation.reach.volume, "taps lie in the kernel")
        checkInvariant(tap.coefficient >= 0 && tap.coefficient < correlation.coefficients, "taps are coefficients")
      }
    }

    private func check(_ reads: [PointRead], _ contributions: [PointRead]) {
      checkInvariant(reads.map { Int($0.point) }.sorted() == Array(0..<points), "turns permute the points")
      for (point, read) in reads.enumerated() {
        let back = contributions[Int(read.point)]
        checkInvariant(Int(back.point) == point && back.isConjugate == read.isConjugate, "contributions undo turns")
      }
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
