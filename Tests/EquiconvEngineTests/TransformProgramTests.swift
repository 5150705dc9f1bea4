// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvShims
import _EquiconvTestSupport

/// Programs of transforms compute the linear maps that they were made from.
@Suite struct TransformProgramTests {
  /// ẑ(R)[row, column] = Σ_h z[h] R(h)[row, column], on whole numbers, whose sums are exact.
  @Test(arguments: GroupCatalog.lattice.filter { $0.order > 1 })
  func readTransform_isTheFourierTransform(_ group: PointGroup) throws {
    let subgroup = group.latticeSubgroup
    let transform = try group.signedTransform(of: subgroup)
    let table = SubgroupTable(group, subgroup)
    let rows = transform.representations.map { Array(0..<$0.dimension) }
    for stabilizer in Self.stabilizers(group, subgroup) {
      let read = try ReadTransform(transform, table, stabilizer: stabilizer, rows: rows)
      let z = (0..<read.cosets.count).map { Double(($0 * 7 + 3) % 11) }
      let found = Self.run(read.program, z)
      var number = 0
      for (part, representation) in transform.representations.enumerated() {
        for (pivot, factor) in zip(read.columns[part].pivots, read.factors[part]) {
          for row in rows[part] {
            var expected = 0.0
            for (input, first) in read.cosets.enumerated() {
              for member in stabilizer {
                expected += z[input] * representation.entry(table.product(first, member), row, pivot)
              }
            }
            #expect(found[number] * factor == expected, "\(group) \(stabilizer) \(part) \(row) \(pivot)")
            number += 1
          }
        }
      }
      #expect(number == found.count)
    }
  }

  /// Equal sums are computed once, and butterflies of butterflies are one step.
  @Test func transformOfD4_isOneStep() throws {
    let group = try PointGroup.dihedral(4)
    let transform = try group.signedTransform(of: Array(0..<8))
    let rows = transform.representations.map { Array(0..<$0.dimension) }
    let read = try ReadTransform(transform, SubgroupTable(group, Array(0..<8)), stabilizer: [0], rows: rows)
    #expect(read.program.steps.map(\.operation) == [EQUICONV_STEP_DIHEDRAL_8])
    #expect(read.program.work.additions == 20 && read.program.work.accesses == 16)
  }

  /// The identity alone, and what each element generates.
  private static func stabilizers(_ group: PointGroup, _ subgroup: [Int]) -> [[Int]] {
    let generated = Set(subgroup.map { group.subgroup(generatedBy: [$0]) })
    return generated.map { $0.map { subgroup.firstIndex(of: $0)! } }.sorted { $0.description < $1.description }
  }

  /// The steps in Swift, one number for each slot.
  private static func run(_ program: TransformProgram, _ inputs: [Double]) -> [Double] {
    var values = inputs + [Double](repeating: .nan, count: program.slots - inputs.count)
    func slot(_ index: Int) -> Int {
      index < program.firstCopy ? index : Int(program.copies[index - program.firstCopy])
    }
    for step in program.steps {
      let width = [EQUICONV_STEP_HADAMARD_8, EQUICONV_STEP_DIHEDRAL_8].contains(step.operation) ? 8 : 4
      let (first, second) = (values[slot(Int(step.first))], values[slot(Int(step.second))])
      var results = [(Int(step.sum), 0.0)]
      switch step.operation {
      case EQUICONV_STEP_BUTTERFLY: results = [(Int(step.sum), first + second), (Int(step.difference), first - second)]
      case EQUICONV_STEP_ADD: results[0].1 = first + second
      case EQUICONV_STEP_SUBTRACT: results[0].1 = first - second
      case EQUICONV_STEP_COPY: results[0].1 = first
      case EQUICONV_STEP_NEGATE: results[0].1 = -first
      case EQUICONV_STEP_SCALE: results[0].1 = step.coefficient * first
      case EQUICONV_STEP_MULTIPLY_ADD: results[0].1 = first + step.coefficient * second
      default:
        let x = (0..<width).map { values[slot(Int(step.first) + $0)] }
        results = block(step.operation, x).enumerated().map { (Int(step.sum) + $0.offset, $0.element) }
      }
      for (index, value) in results { values[slot(index)] = value }
    }
    return Array(values[program.inputs..<program.inputs + program.outputs])
  }

  private static func block(_ operation: equiconv_transform_operation, _ x: [Double]) -> [Double] {
    func neighbors(_ x: [Double]) -> (sums: [Double], differences: [Double]) {
      let firsts = stride(from: 0, to: x.count, by: 2)
      return (firsts.map { x[$0] + x[$0 + 1] }, firsts.map { x[$0] - x[$0 + 1] })
    }
    func pairs(_ x: [Double]) -> [Double] {
      let (sums, differences) = neighbors(x)
      return zip(sums, differences).flatMap { [$0, $1] }
    }
    func hadamard4(_ x: [Double]) -> [Double] { pairs(neighbors(x).sums) + pairs(neighbors(x).differences) }
    if operation == EQUICONV_STEP_HADAMARD_4 { return hadamard4(x) }
    if operation == EQUICONV_STEP_CYCLIC_4 { return pairs(neighbors(x).sums) + neighbors(x).differences }
    if operation == EQUICONV_STEP_CYCLIC_4_ADJOINT {
      return pairs([x[0] + x[1], x[2]]) + pairs([x[0] - x[1], x[3]])
    }
    let (sums, differences) = neighbors(x)
    return hadamard4(sums) + (operation == EQUICONV_STEP_HADAMARD_8 ? hadamard4(differences) : pairs(differences))
  }
}
