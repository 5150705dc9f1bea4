// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Layers between quotients are as many as the theory of induced representations says, no fewer and no more.
///
/// A kernel of a layer from ℝᵈ × H/K to ℝᵈ × H/K' is a function on H/K × taps that K' leaves as it is (Bekkers, ICLR
/// 2020, Theorem 1), so independent layers are as many as orbits of K' there: with one tap, the double cosets K'\H/K
/// (Mackey's theorem). The counts here are Burnside's, from products of elements alone; the ranks are those of the
/// engine's expanded banks.
@Suite struct DoubleCosetTests {
  static let groups: [PointGroup] = [try! .dihedral(4), try! .dihedral(6), .octahedral]

  /// D4, D6 and the rotations of the cube have 10, 16 and 30 subgroups.
  @Test func allSubgroupsAreFound() {
    #expect(Self.groups.map { Subgroups.all($0).count } == [10, 16, 30])
  }

  @Test(arguments: groups)
  func independentLayersWithOneTap_areTheDoubleCosets(_ group: PointGroup) throws {
    let subgroups = Subgroups.all(group)
    for input in subgroups {
      for output in subgroups {
        let expected = doubleCosets(output, input, of: group)
        #expect(try rank(group, from: input, to: output, kernel: 1) == expected, "from \(input) to \(output)")
      }
    }
  }

  @Test func independentLayersWithNineTaps_areTheOrbitsOfTheStabilizer() throws {
    let group = try PointGroup.dihedral(4)
    for input in Subgroups.all(group) {
      for output in Subgroups.all(group) {
        let expected = try orbits(of: output, onCosetsOf: input, andTapsOf: 3, group)
        #expect(try rank(group, from: input, to: output, kernel: 3) == expected, "from \(input) to \(output)")
      }
    }
  }

  // MARK: - Ranks

  /// The rank of the map from weights to the expanded bank, for one input and one output channel.
  private func rank(_ group: PointGroup, from input: [Int], to output: [Int], kernel: Int) throws -> Int {
    func each(_ value: Int) -> Extents { Extents(repeating: value, count: group.dimension) }
    let plan = try ConvolutionPlan(
      ConvolutionDescriptor(
        from: .quotient(stabilizer: input), to: .quotient(stabilizer: output), group: group, inChannels: 1,
        outChannels: 1, spatial: each(kernel), kernel: each(kernel)))
    let count = plan.weightShape.reduce(1, *)
    let banks = try (0..<count).map { i in
      var unit = [Double](repeating: 0, count: count)
      unit[i] = 1
      return try plan.expand(unit)
    }
    return rank(banks)
  }

  /// By Gaussian elimination with the largest pivot of each column. Entries are fractions with a denominator of at most
  /// |H| ≤ 24: what remains of a dependent row is rounding.
  private func rank(_ matrix: [[Double]]) -> Int {
    var rows = matrix
    var rank = 0
    for column in matrix[0].indices where rank < rows.count {
      let pivot = (rank..<rows.count).max { abs(rows[$0][column]) < abs(rows[$1][column]) }!
      guard abs(rows[pivot][column]) > 1e-9 else { continue }
      rows.swapAt(rank, pivot)
      for row in rank + 1..<max(rank + 1, rows.count) where rows[row][column] != 0 {
        let factor = rows[row][column] / rows[rank][column]
        for i in column..<rows[row].count { rows[row][i] -= factor * rows[rank][i] }
      }
      rank += 1
    }
    return rank
  }

  // MARK: - Counts

  /// |K'\H/K|, the orbits of (a, b): h ↦ a h b⁻¹ on H: the mean of the numbers of h with a h = h b.
  private func doubleCosets(_ left: [Int], _ right: [Int], of group: PointGroup) -> Int {
    var fixed = 0
    for a in left {
      for b in right {
        fixed += (0..<group.order).count { group.product(a, $0) == group.product($0, b) }
      }
    }
    #expect(fixed % (left.count * right.count) == 0)
    return fixed / (left.count * right.count)
  }

  /// The orbits of K' on H/K × taps: the mean over a in K' of how many cosets a leaves in place, times how many taps.
  private func orbits(
    of left: [Int], onCosetsOf right: [Int], andTapsOf kernel: Int, _ group: PointGroup
  ) throws -> Int {
    let taps = try tapPoints(extents: [Int](repeating: kernel, count: group.dimension))
    let fixed = left.reduce(0) { sum, a in
      // a hK = hK means that a h = h b for a b in K; each coset is met |K| times.
      let elements = (0..<group.order).count { h in
        right.contains { group.product(a, h) == group.product(h, $0) }
      }
      return sum + elements / right.count * taps.count { multiply(group.matrix(a), $0) == $0 }
    }
    #expect(fixed % left.count == 0)
    return fixed / left.count
  }
}
