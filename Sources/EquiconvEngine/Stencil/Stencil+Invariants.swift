// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension Stencil {
  #if EQUICONV_INTERNAL_CHECKS
    /// - Banks partition the output points, and their coefficients follow one another.
    /// - Terms lie within the kernel and the input, and are sorted by coefficient.
    /// - Forward, the points of a bank have the same coefficients in the same order, which weight gradients rely on.
    func checkInvariants(_ geometry: Geometry, isAdjoint: Bool) {
      checkInvariant(terms.count == outputElements && bankOfPoint.count == outputElements, "each point has terms")
      checkInvariant(termCount == terms.reduce(0) { $0 + $1.count }, "terms are counted")
      var (points, coefficient) = (0, 0)
      for (number, bank) in banks.enumerated() {
        checkInvariant(bank.coefficients.lowerBound == coefficient, "banks' coefficients follow one another")
        coefficient = bank.coefficients.upperBound
        points += bank.points.count
        checkInvariant(bank.points.allSatisfy { bankOfPoint[$0] == number }, "each point is in the bank that has it")
        for point in bank.points {
          Call.pause()
          check(terms[point], bank, geometry, isAdjoint: isAdjoint)
          if !isAdjoint { checkOrder(terms[point], as: terms[bank.points[0]]) }
        }
      }
      checkInvariant(points == outputElements, "each point is in one bank")
    }

    private func check(_ terms: FixedArray<Term>, _ bank: Bank, _ geometry: Geometry, isAdjoint: Bool) {
      var last = bank.coefficients.lowerBound
      for term in terms {
        checkInvariant(last <= term.coefficient && bank.coefficients.contains(term.coefficient), "terms are in order")
        last = term.coefficient
        checkInvariant(term.element >= 0 && term.element < inputElements, "terms read elements of the input")
        for axis in 0..<3 {
          let position = isAdjoint ? -term.position[axis] : term.position[axis]
          checkInvariant(
            position >= 0 && position < geometry.reach[axis] && position % geometry.dilation[axis] == 0,
            "terms read taps of the kernel")
        }
      }
    }

    private func checkOrder(_ terms: FixedArray<Term>, as others: FixedArray<Term>) {
      checkInvariant(
        terms.count == others.count && zip(terms, others).allSatisfy { $0.coefficient == $1.coefficient },
        "points of a bank share the order of their coefficients")
    }
  #else
    @inline(__always)
    func checkInvariants(_ geometry: Geometry, isAdjoint: Bool) {}
  #endif
}
