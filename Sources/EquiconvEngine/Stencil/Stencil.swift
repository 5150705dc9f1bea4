// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory

/// What each output point reads: the group convolution as few weight matrices and turned reads.
///
/// With x' = x + h·v and h' = h·d the definition on a lattice group becomes
/// `y[o,h,x] = Σ_{c,(d,v)} ŵ[o,c,(d,v)] f[c, h·d, x + h·v]`: every h has the same weights ŵ, in the same order.
/// In general the output points that the lattice subgroup L carries to each other share one *bank* of ŵ. Where elements
/// of L leave a point in place, like the origin of the plane, ŵ has one value on each orbit of (e, u) under them:
/// `y[o,x] = Σ_{c,j} ŵ[o,c,j] Σ_{(e,u) in orbit j} f[c, e, x + u]`, and the inner sum is an `OrbitSum`.
struct Stencil: Sendable {
  /// One read: coefficient of ŵ, element of the input, and position on the padded grid relative to the output's.
  struct Term: Sendable, Hashable {
    var coefficient: Int
    var element: Int
    /// In 0..<reach on each axis for the forward stencil, its negative for the adjoint.
    var position: Box
  }

  /// Weights that some output points share.
  struct Bank: Sendable {
    /// Its coefficients of ŵ.
    let coefficients: Range<Int>
    /// The output points.
    let points: [Int]
    /// The radices of each coefficient's orbit; its terms are consecutive. Empty for single reads.
    let orbitRadices: FixedArray<[Int]>
  }

  /// |X| and |Y|: points of the fibers H/K, 1 for a plane signal, |H| for a group signal.
  let inputElements: Int
  let outputElements: Int
  /// Terms of each output point, in the canonical order of the coefficients.
  let terms: FixedArray<FixedArray<Term>>
  /// Every output point is in one bank.
  let banks: FixedArray<Bank>
  /// The bank of each output point.
  let bankOfPoint: [Int]
  /// Terms of all output points together.
  let termCount: Int
  /// ŵ as a function of the user's weights; `nil` where it is the user's weight itself.
  let sampling: SamplingOperator?

  init(
    inputElements: Int, outputElements: Int, terms: FixedArray<FixedArray<Term>>, banks: FixedArray<Bank>,
    sampling: SamplingOperator?
  ) {
    self.inputElements = inputElements
    self.outputElements = outputElements
    self.terms = terms
    self.banks = banks
    termCount = terms.reduce(0) { $0 + $1.count }
    self.sampling = sampling
    var bankOfPoint = [Int](repeating: 0, count: outputElements)
    for (number, bank) in banks.enumerated() { for point in bank.points { bankOfPoint[point] = number } }
    self.bankOfPoint = bankOfPoint
  }

  /// Coefficients of ŵ for each pair of channels, all banks together.
  var coefficients: Int { banks.last?.coefficients.upperBound ?? 0 }
  /// Whether coefficients multiply sums over orbits.
  var isOrbit: Bool { !(banks.first?.orbitRadices.isEmpty ?? true) }
  /// Coefficients of the largest bank.
  var largestBank: Int { banks.reduce(0) { max($0, $1.coefficients.count) } }
  /// The most terms of one output point.
  var mostTerms: Int { terms.reduce(0) { max($0, $1.count) } }

  /// The stencil of input gradients: each read becomes a write back, sorted by coefficient.
  ///
  /// `∂f[c,e,x'] = Σ ŵ[o,c,j] g[o,y,x'−t]` over all forward terms (j, e, t) of all y.
  ///
  /// - Throws: `outOfMemory`.
  /// - Complexity: O(terms): by counting, first by coefficient, then by element.
  func adjoint() throws(ConvolutionError) -> Stencil {
    let writes = try PlanTable<Write>.grouped(coefficients) { give in
      for (output, outputTerms) in terms.enumerated() {
        Call.pause()
        for term in outputTerms {
          let write = Term(coefficient: term.coefficient, element: output, position: term.position.map { -$0 })
          give(term.coefficient, Write(element: term.element, term: write))
        }
      }
    }
    let adjoint = try PlanTable<Term>.grouped(inputElements) { give in
      for group in writes {
        Call.pause()
        for write in group { give(write.element, write.term) }
      }
    }
    let bank = Bank(coefficients: 0..<coefficients, points: Array(0..<inputElements), orbitRadices: .init())
    return Stencil(
      inputElements: outputElements, outputElements: inputElements, terms: adjoint,
      banks: try PlanTable<Bank>(repeating: bank, count: 1).frozen(), sampling: sampling)
  }

  /// A term of the adjoint, and the element it belongs to.
  private struct Write {
    var element: Int
    var term: Term
  }
}
