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
      checkInvariant(!frames.isEmpty, "planes are seen by an element")
      for frame in frames {
        frame.grid.checkInvariants(frame.target.size)
        checkInvariant(
          frame.grid.tiles.volume == grid.tiles.volume && frame.products.count == frames[0].products.count,
          "frames are of one kind")
      }
      checkInvariant(
        frames.flatMap { $0.products.map { $0.turn.target } }.sorted() == Array(0..<correlation.targetElements),
        "each target is computed once")
      for product in frames.lazy.flatMap({ $0.products }) {
        checkInvariant(product.reads.map { Int($0.point) }.sorted() == Array(0..<points), "turns permute the points")
      }
      for (bank, all) in contributions.enumerated() {
        for (turn, contributions) in all.enumerated() {
          let target = banks[bank].turns[turn].target
          let product = frames[0].products.first { $0.turn.target == target }
          checkInvariant(product != nil, "each turn has its points")
          check(product?.reads ?? [], contributions)
        }
      }
      for tap in taps.lazy.flatMap({ $0 }).lazy.flatMap({ $0 }) {
        checkInvariant(tap.place >= 0 && tap.place < correlation.reach.volume, "taps lie in the kernel")
        checkInvariant(tap.coefficient >= 0 && tap.coefficient < correlation.coefficients, "taps are coefficients")
      }
    }

    private func check(_ reads: [PointRead], _ contributions: [PointRead]) {
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
