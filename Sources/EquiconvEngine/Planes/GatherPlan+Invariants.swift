// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

extension GatherPlan {
  #if EQUICONV_INTERNAL_CHECKS
    /// The assumptions of the kernels, which check nothing:
    /// - Grids lie in the destination, share no place, and are all of it unless there are gaps or a fold.
    /// - What a grid reads lies in one padded plane, from its first output to its last.
    /// - Orbits have as many reads as their radices multiply to.
    func checkInvariants(_ axes: [GatherAxis], _ geometry: Geometry, isAdjoint: Bool) throws(ConvolutionError) {
      stencil.checkInvariants(geometry, isAdjoint: isAdjoint)
      for axis in axes { try axis.checkInvariants() }
      layout.checkInvariants()
      var written = 0
      for (number, grid) in grids.enumerated() {
        Call.pause()
        written += grid.size.volume
        check(grid)
        for element in 0..<stencil.outputElements { check(reads[number, element], for: grid) }
      }
      let isWhole = written == destination.volume
      checkInvariant(fold != nil || leavesGaps == !isWhole, "grids partition the destination, or leave gaps")
      checkInvariant(written <= destination.volume, "grids do not overlap")
      checkInvariant(leftOut == nil || reads.isPartial, "terms are left out of partial reads only")
      fold?.checkInvariants()
      checkOrbits()
    }

    private func check(_ grid: OutputGrid) {
      for axis in 0..<3 {
        checkInvariant(grid.plane[axis] == destination[axis] && grid.size[axis] > 0, "grids are of the destination")
        checkInvariant(
          grid.start[axis] >= 0 && grid.start[axis] + grid.step[axis] * (grid.size[axis] - 1) < destination[axis],
          "grids lie in the destination")
      }
    }

    private func check(_ reads: FixedArray<equiconv_read>, for grid: OutputGrid) {
      var last = 0
      for read in reads {
        checkInvariant(read.source >= 0 && read.source < stencil.inputElements * layout.volume, "planes are read")
        let place = read.source % layout.phaseVolume
        let (z, y, x) = (
          place / layout.sliceStride, place % layout.sliceStride / layout.rowStride,
          place % layout.rowStride / layout.depth
        )
        checkInvariant(place % layout.depth == 0, "reads begin at the first of the images that lie side by side")
        checkInvariant(
          z + grid.size.z <= layout.count.z && y + grid.size.y <= layout.count.y && x + grid.size.x <= layout.count.x,
          "all outputs of a grid read the same phase of a plane")
        checkInvariant(read.weight >= last && read.weight < stencil.coefficients, "reads are sorted by coefficient")
        last = read.weight
      }
    }

    /// The most reads of an orbit; see `OrbitSum.swift`.
    private static let largestOrbit = 48

    private func checkOrbits() {
      guard stencil.isOrbit else { return }
      for (number, bank) in stencil.banks.enumerated() {
        var (places, levels) = (0, 0)
        for radices in bank.orbitRadices {
          let size = radices.reduce(1, *)
          checkInvariant(size > 0 && size <= Self.largestOrbit, "orbits have at most 48 places")
          places += size
          levels += radices.count
        }
        checkInvariant(bank.orbitRadices.count == bank.coefficients.count, "each coefficient has an orbit")
        checkInvariant(flatRadices[number].count == levels + 1, "radices are those of the orbits")
        checkInvariant(
          bank.points.allSatisfy { orbitOffsets[$0].count == places }, "orbits have as many reads as their radices say")
      }
    }
  #else
    @inline(__always)
    func checkInvariants(_ axes: [GatherAxis], _ geometry: Geometry, isAdjoint: Bool) throws(ConvolutionError) {}
  #endif
}
