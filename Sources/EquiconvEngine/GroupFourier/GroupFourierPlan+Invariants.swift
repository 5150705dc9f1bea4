// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension GroupFourierPlan {
  #if EQUICONV_INTERNAL_CHECKS
    /// - Every read of an orbit has an offset inside the padded planes, and points and parts have the sizes that passes
    ///   reserve memory by.
    /// - Turned points read the turned reads by the same coefficients: what makes the layer a sum of correlations.
    func checkInvariants(_ stencil: Stencil, _ geometry: Geometry, _ table: SubgroupTable) {
      checkInvariant(gather.grids.count == 1, "a pass has one grid")
      checkInvariant(
        sources.allSatisfy { $0 >= 0 && $0 < stencil.inputElements * gather.layout.volume },
        "orbits read what the layout keeps")
      var points = [Int](repeating: 0, count: stencil.outputElements)
      for (output, inverse) in zip(orbits.outputs, inverses) {
        checkInvariant(inverse.program.outputs == inverse.points.count, "each point of an orbit is computed")
        checkInvariant(inverse.bias >= 0, "a bias begins a column that all points add alike")
        for (place, point) in output.turned {
          points[point] += 1
          checkTerms(stencil, geometry, table, of: point, turnedBy: place, output)
        }
      }
      checkInvariant(points.allSatisfy { $0 == 1 }, "orbits partition the output points")
      for part in parts {
        checkInvariant(
          part.entryStarts.count == part.outputs.count * part.columns + 1, "each number of the weights has its entries")
      }
    }

    private func checkTerms(
      _ stencil: Stencil, _ geometry: Geometry, _ table: SubgroupTable, of point: Int, turnedBy place: Int,
      _ output: TapOrbits.Output
    ) {
      Call.pause()
      var coefficients: [Int: Int32] = [:]
      for term in stencil.terms[point] {
        coefficients[term.element * orbits.taps + geometry.tap(of: term)] = Int32(term.coefficient)
      }
      for orbit in 0..<orbits.count {
        for other in 0..<orbits.subgroup.count {
          let expected = output.coefficients[orbits.member(orbit, other)]
          let turned = orbits.member(orbit, table.product(place, other))
          checkInvariant(coefficients[turned] ?? -1 == expected, "turned points read turned reads")
        }
      }
    }
  #else
    @inline(__always)
    func checkInvariants(_ stencil: Stencil, _ geometry: Geometry, _ table: SubgroupTable) {}
  #endif
}
