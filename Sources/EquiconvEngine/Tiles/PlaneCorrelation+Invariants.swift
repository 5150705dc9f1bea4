// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension PlaneCorrelation {
  #if EQUICONV_INTERNAL_CHECKS
    /// - Terms lie in the kernel and the source, once each.
    /// - Banks partition the targets, and turns permute the sources and the axes.
    func checkInvariants() {
      checkInvariant(terms.count == targetElements && source.z == 1 && target.z == 1, "planes are correlated")
      for term in terms.lazy.flatMap({ $0 }) {
        checkInvariant(term.element >= 0 && term.element < sourceElements, "terms read elements of the source")
        checkInvariant(term.coefficient >= 0 && term.coefficient < coefficients, "terms have coefficients")
        checkInvariant(
          term.position.z == 0 && 0..<reach.y ~= term.position.y && 0..<reach.x ~= term.position.x,
          "terms lie in the kernel")
      }
      let turns = banks.flatMap { $0.turns }
      checkInvariant(turns.map { $0.target }.sorted() == Array(0..<targetElements), "each target is in one bank")
      for turn in turns {
        checkInvariant(turn.sources.sorted() == Array(0..<sourceElements), "turns permute the sources")
        checkInvariant(turn.axes.sorted() == [0, 1], "turns permute the axes")
        checkInvariant(turn.signs.allSatisfy { abs($0) == 1 }, "turns keep distances")
      }
      for orbit in orbits {
        let isAlike = zip(orbit.turns, orbits[0].turns).allSatisfy { $0.axes == $1.axes && $0.signs == $1.signs }
        checkInvariant(isAlike, "orbits are turned by the same elements in one order")
      }
      checkInvariant(
        orbits.isEmpty || orbits.flatMap { $0.turns.map { $0.target } }.sorted() == Array(0..<targetElements),
        "each target is in one orbit")
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
