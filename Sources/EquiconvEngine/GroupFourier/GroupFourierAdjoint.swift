// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory
import _EquiconvShims

/// The adjoint of a forward plan, map by map: for the input gradients of strided layers.
///
///     ĝ_o[a, k] = Σ_p s_k[p, a] g_o(p)                     the adjoint of the inverse transform, from the points p
///     d̂_{c,ω}[a, b] = Σ_{o,k} ĝ_o[a, k] κ̂_{o,c,ω}[k, b]    a product over (output channel, column of ŷ)
///     df_c(i·ω) += Σ_{R,b,a} t_b[i, a] d̂_{c,ω}[a, b]       the adjoint of the forward transform of the reads i
final class GroupFourierAdjoint: Sendable {
  /// The forward one.
  let plan: GroupFourierPlan
  /// The last map for each stabilizer of reads. Inputs: (representation, column, row) of d̂; outputs: the reads of an orbit,
  /// which are added to what is there.
  let scatters: [TransformProgram]
  /// Whether the pass commutes with L to the last bit, if no padding is circular.
  let isExact: Bool

  /// - Throws: `outOfMemory`.
  init(_ plan: GroupFourierPlan) throws(ConvolutionError) {
    let sums = zip(plan.reads, plan.orbits.stabilizers).map { read, stabilizer in
      ScatterSums(read, plan.transform, plan.table, stabilizer: stabilizer, rows: plan.parts.map { $0.rows })
    }
    self.plan = plan
    scatters = try sums.map { each throws(ConvolutionError) in
      try TransformProgram(sums: each.coefficients, order: each.order, outputsLieApart: false).adding()
    }
    isExact =
      plan.transform.representations.allSatisfy { $0.isSigned } && sums.allSatisfy { $0.isOrderless }
      && Self.readsEachElementOnce(plan)
    checkInvariants()
  }

  /// Whether no orbit reads an element at two taps, which would be added to one place in an order that turning changes.
  private static func readsEachElementOnce(_ plan: GroupFourierPlan) -> Bool {
    let orbits = plan.orbits
    return (0..<orbits.count).allSatisfy { orbit in
      let places = plan.reads[Int(orbits.stabilizerOfOrbit[orbit])].cosets
      return Set(places.map { orbits.member(orbit, $0) / orbits.taps }).count == places.count
    }
  }

  /// The work of the transforms that scatter one channel.
  var scatterWork: TransformWork {
    plan.orbits.stabilizerOfOrbit.reduce(.zero) { $0 + scatters[Int($1)].work }
  }
}

/// The adjoint of a `ReadTransform`: z[i] = Σ_{R,b} Σ_a t_b[i, a] ẑ(R)[a, b] with t_b[i, a] = Σ_{s ∈ S} R(h_i s)[a, b] over
/// the factor of column b, for the reads h_i of a stabilizer S.
private struct ScatterSums {
  /// [column of any representation][read][row].
  let coefficients: [[[Double]]]
  /// Equal columns of representations of one dimension one after another: these have the most sums in common.
  let order: [Int]

  init(
    _ read: ReadTransform, _ transform: GroupTransform, _ table: SubgroupTable, stabilizer: [Int], rows: [[Int]]
  ) {
    var coefficients: [[[Double]]] = []
    var places: [(dimension: Int, column: Int, representation: Int)] = []
    for (number, representation) in transform.representations.enumerated() {
      for (place, (column, factor)) in zip(read.columns[number].pivots, read.factors[number]).enumerated() {
        places.append((representation.dimension, place, number))
        coefficients.append(
          read.cosets.map { first in
            let members = stabilizer.map { table.product(first, $0) }
            return rows[number].map { row in
              members.reduce(0.0) { $0 + representation.entry($1, row, column) } / factor
            }
          })
      }
    }
    self.coefficients = coefficients
    order = places.indices.sorted { places[$0] < places[$1] }
  }

  /// Whether at most two rows of a column are added up: then the order does not matter.
  var isOrderless: Bool {
    coefficients.allSatisfy { $0.allSatisfy { rows in rows.count { $0 != 0 } <= 2 } }
  }
}

extension TransformProgram {
  /// The same map with each output added to one more slot, of those that follow all others.
  ///
  /// A butterfly that nothing else needs adds its two results itself.
  fileprivate func adding() throws(ConvolutionError) -> TransformProgram {
    var added = [Bool](repeating: false, count: outputs)
    let needed = Set(steps.flatMap { [Int($0.first), Int($0.second)] } + copies.map { Int($0) })
    var result = PlanTable<equiconv_transform_step>()
    for var step in steps {
      let (sum, difference) = (Int(step.sum) - inputs, Int(step.difference) - inputs)
      if step.operation == EQUICONV_STEP_BUTTERFLY,
        [sum, difference].allSatisfy({ 0 <= $0 && $0 < outputs && !needed.contains(inputs + $0) })
      {
        (added[sum], added[difference]) = (true, true)
        step.operation = EQUICONV_STEP_ACCUMULATE_2
        (step.sum, step.difference) = (Int32(slots + sum), Int32(slots + difference))
      }
      try result.append(step)
    }
    for output in 0..<outputs where !added[output] {
      try result.append(
        equiconv_transform_step(
          operation: EQUICONV_STEP_ACCUMULATE, first: Int32(inputs + output), second: 0, sum: Int32(slots + output),
          difference: -1, coefficient: 1))
    }
    let separate = added.count { !$0 }
    return TransformProgram(
      inputs: inputs, outputs: outputs, scratch: scratch, copies: copies, steps: result.frozen(),
      work: work + TransformWork(additions: outputs, accesses: 3 * separate + (outputs - separate)))
  }
}

extension GroupFourierAdjoint {
  #if EQUICONV_INTERNAL_CHECKS
    /// What is scattered are the columns of the reads, to each read once.
    private func checkInvariants() {
      for (scatter, read) in zip(scatters, plan.reads) {
        checkInvariant(scatter.inputs == read.program.outputs, "what is scattered has the columns of the reads")
        checkInvariant(scatter.outputs == read.cosets.count, "each read is added to once")
      }
    }
  #else
    @inline(__always)
    private func checkInvariants() {}
  #endif
}
