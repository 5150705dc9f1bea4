// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory
import _EquiconvShims

/// A signal pass as correlations on the lattice subgroup L, transformed by representations of L.
///
/// `ŷ_o(R) = Σ_{c,ω} ẑ_{c,ω}(R) κ̂_{o,c,ω}(R)` with ẑ(R) = Σ_h z[h] R(h) and κ̂(R) = Σ_t κ(t) R(t⁻¹): for each
/// representation a matrix product over (channel, orbit, column), for all rows and pixels. See `TapOrbits` for z and κ.
/// It holds for the forward pass and, with the adjoint stencil, for the input gradient of a layer of stride 1.
final class GroupFourierPlan: Sendable {
  /// One representation.
  struct Part: Sendable {
    /// Rows of ẑ and ŷ that are computed.
    let rows: [Int]
    /// Columns of ẑ that come before those of each orbit, and all.
    let columnStarts: FixedArray<Int>
    /// Columns of ŷ for each output channel.
    let outputs: [Output]
    /// κ̂ times the factors of both transforms: sums of coefficients of ŵ, of each (output, column).
    let entries: FixedArray<WeightEntry>
    let entryStarts: FixedArray<Int>

    var columns: Int { columnStarts[columnStarts.count - 1] }
  }

  /// A column of ŷ: of one orbit of output points, by its number there.
  struct Output: Sendable {
    let orbit: Int
    let column: Int
  }

  struct WeightEntry: Sendable {
    var coefficient: Int32
    var value: Double
  }

  /// The inverse transform onto one orbit of output points.
  struct Inverse: Sendable {
    let points: [Int]
    let columns: [PointTransform.Column]
    /// The number of each column among the outputs of its part.
    let outputs: [Int]
    /// Inputs: (column, row); outputs: points.
    let program: TransformProgram
    /// Inputs: points; outputs: (column, row).
    let adjoint: TransformProgram
    /// The column that a bias begins.
    let bias: Int
  }

  let gather: GatherPlan
  let orbits: TapOrbits
  let transform: GroupTransform
  let table: SubgroupTable
  let parts: [Part]
  /// One for each stabilizer of `orbits`.
  let reads: [ReadTransform]
  let inverses: [Inverse]
  /// What each orbit's inputs add to the offset of a vector: those of orbit ω from `sourceStarts[ω]` on.
  let sources: FixedArray<Int>
  let sourceStarts: FixedArray<Int>
  /// Whether the pass commutes with L to the last bit.
  let isExact: Bool

  /// - Parameters:
  ///   - stencil, gather: Of the pass; the gather has one grid, which reads all terms.
  /// - Throws: `outOfMemory`, `cancelled`, `unsupportedGroup`.
  init(
    _ stencil: Stencil, _ gather: GatherPlan, orbits: TapOrbits, group: PointGroup, geometry: Geometry
  ) throws(ConvolutionError) {
    let transform = try Self.transform(group, orbits.subgroup)
    let table = SubgroupTable(group, orbits.subgroup)
    let points = orbits.outputs.map { output in
      PointTransform(transform, table, stabilizer: output.stabilizer, points: output.turned.map { $0.place })
    }
    var rows = [[Int]](repeating: [], count: transform.representations.count)
    for point in points { point.addRows(to: &rows) }
    let reads = try orbits.stabilizers.map { stabilizer throws(ConvolutionError) in
      try ReadTransform(transform, table, stabilizer: stabilizer, rows: rows)
    }
    self.gather = gather
    self.orbits = orbits
    self.transform = transform
    self.table = table
    self.reads = reads
    parts = try transform.representations.indices.map { number throws(ConvolutionError) in
      try PartBuilder(number, transform.representations[number], table, orbits, reads, points).part(rows: rows[number])
    }
    inverses = try points.enumerated().map { [parts] orbit, point throws(ConvolutionError) in
      try Self.inverse(orbit, point, orbits.outputs[orbit], parts, transform, table, rows: rows)
    }
    (sources, sourceStarts) = try Self.sources(stencil, gather, geometry, orbits, reads)
    // Positions that are folded onto one are added up in an order that turning changes.
    isExact =
      gather.fold == nil && transform.representations.allSatisfy { $0.isSigned } && points.allSatisfy { $0.isOrderless }
    checkInvariants(stencil, geometry, table)
  }

  /// By signed permutations, which are exact; by irreps where L does not only turn grids and they have fewer products.
  private static func transform(
    _ group: PointGroup, _ subgroup: [Int]
  ) throws(ConvolutionError) -> GroupTransform {
    do throws(GroupError) {
      let signed = try group.signedTransform(of: subgroup)
      if subgroup.allSatisfy({ group.axisAction($0) != nil }) { return signed }
      let irreducible = try group.irreducibleTransform(of: subgroup)
      return irreducible.products < signed.products ? irreducible : signed
    } catch {
      throw ConvolutionError(.unsupportedGroup, .group, group.name, expected: { error.message(in: $0) })
    }
  }

  private static func inverse(
    _ orbit: Int, _ point: PointTransform, _ output: TapOrbits.Output, _ parts: [Part], _ transform: GroupTransform,
    _ table: SubgroupTable, rows: [[Int]]
  ) throws(ConvolutionError) -> Inverse {
    let outputs = point.columns.map { column in
      parts[column.representation].outputs.firstIndex { $0.orbit == orbit && $0.column == column.column } ?? 0
    }
    return Inverse(
      points: output.turned.map { $0.point }, columns: point.columns, outputs: outputs,
      program: try point.program(rows: rows), adjoint: try point.adjoint(transform, table, output, rows: rows),
      bias: point.columns.firstIndex { $0.sum != nil } ?? -1)
  }

  /// Offsets of the inputs of each orbit's transform.
  private static func sources(
    _ stencil: Stencil, _ gather: GatherPlan, _ geometry: Geometry, _ orbits: TapOrbits, _ reads: [ReadTransform]
  ) throws(ConvolutionError) -> (FixedArray<Int>, FixedArray<Int>) {
    let offsets = try PlanTable<Int>(repeating: -1, count: stencil.inputElements * orbits.taps)
    for (point, terms) in stencil.terms.enumerated() {
      Call.pause()
      for (term, read) in zip(terms, gather.reads[0, point]) {
        offsets[term.element * orbits.taps + geometry.tap(of: term)] = read.source
      }
    }
    var sources = PlanTable<Int>()
    var starts = try PlanTable<Int>(capacity: orbits.count + 1)
    for orbit in 0..<orbits.count {
      try starts.append(sources.count)
      for place in reads[Int(orbits.stabilizerOfOrbit[orbit])].cosets {
        try sources.append(offsets[orbits.member(orbit, place)])
      }
    }
    try starts.append(sources.count)
    return (sources.frozen(), starts.frozen())
  }

  /// Rows times columns of ŷ for all parts: numbers for each output channel and pixel.
  var outputNumbers: Int { parts.reduce(0) { $0 + $1.rows.count * $1.outputs.count } }
  /// The most rows or columns of ẑ of one part, and the most points of one orbit: what passes reserve memory by.
  var mostRows: Int { parts.reduce(1) { max($0, $1.rows.count) } }
  var mostColumns: Int { parts.reduce(1) { max($0, $1.columns) } }
  var mostPoints: Int { inverses.reduce(1) { max($0, $1.points.count) } }
  /// The most rows times columns of ẑ of one orbit of one channel.
  var mostReadNumbers: Int {
    (0..<orbits.count).reduce(0) { most, orbit in
      max(most, parts.reduce(0) { $0 + $1.rows.count * ($1.columnStarts[orbit + 1] - $1.columnStarts[orbit]) })
    }
  }
  /// Rows times columns of ẑ for all orbits of one channel.
  var readNumbers: Int { parts.reduce(0) { $0 + $1.rows.count * $1.columns } }
  /// Multiply-adds for a pair of channels and a pixel.
  var products: Int { parts.reduce(0) { $0 + $1.rows.count * $1.columns * $1.outputs.count } }
  /// The work of the forward transforms of one channel, and of the inverse transforms of one output channel.
  var readWork: TransformWork { orbits.stabilizerOfOrbit.reduce(.zero) { $0 + reads[Int($1)].program.work } }
  var pointWork: TransformWork { inverses.reduce(.zero) { $0 + $1.program.work } }
  /// That of the adjoints of the inverse transforms.
  var gradientWork: TransformWork { inverses.reduce(.zero) { $0 + $1.adjoint.work } }
  /// Numbers of κ̂ for each pair of channels.
  var weightNumbers: Int { parts.reduce(0) { $0 + $1.columns * $1.outputs.count } }
  /// Multiply-adds that make them.
  var weightWork: Int { parts.reduce(0) { $0 + $1.entries.count } }
}

/// Builds what belongs to one representation.
private struct PartBuilder {
  let number: Int
  let representation: Representation
  let table: SubgroupTable
  let orbits: TapOrbits
  let reads: [ReadTransform]
  let points: [PointTransform]

  init(
    _ number: Int, _ representation: Representation, _ table: SubgroupTable, _ orbits: TapOrbits,
    _ reads: [ReadTransform], _ points: [PointTransform]
  ) {
    self.number = number
    self.representation = representation
    self.table = table
    self.orbits = orbits
    self.reads = reads
    self.points = points
  }

  func part(rows: [Int]) throws(ConvolutionError) -> GroupFourierPlan.Part {
    var starts = try PlanTable<Int>(capacity: orbits.count + 1)
    var columns = 0
    for stabilizer in orbits.stabilizerOfOrbit {
      try starts.append(columns)
      columns += reads[Int(stabilizer)].columns[number].pivots.count
    }
    try starts.append(columns)
    var outputs: [GroupFourierPlan.Output] = []
    var entries = PlanTable<GroupFourierPlan.WeightEntry>()
    var entryStarts = PlanTable<Int>()
    for (orbit, point) in points.enumerated() {
      for column in point.columns where column.representation == number {
        outputs.append(.init(orbit: orbit, column: column.column))
        for read in 0..<orbits.count { try addEntries(read, orbit, column, &entries, &entryStarts) }
      }
    }
    try entryStarts.append(entries.count)
    return GroupFourierPlan.Part(
      rows: rows, columnStarts: starts.frozen(), outputs: outputs, entries: entries.frozen(),
      entryStarts: entryStarts.frozen())
  }

  /// κ̂[b, q] = Σ_t κ(t) (A R(t⁻¹))[b, q] for the pivot columns b of one orbit of reads.
  private func addEntries(
    _ read: Int, _ orbit: Int, _ column: PointTransform.Column,
    _ entries: inout PlanTable<GroupFourierPlan.WeightEntry>, _ starts: inout PlanTable<Int>
  ) throws(ConvolutionError) {
    Call.pause()
    let kind = Int(orbits.stabilizerOfOrbit[read])
    let (invariants, factors) = (reads[kind].columns[number], reads[kind].factors[number])
    let share = column.factor / Double(orbits.stabilizers[kind].count)
    let coefficients = orbits.outputs[orbit].coefficients
    for (row, factor) in zip(invariants.rows, factors) {
      try starts.append(entries.count)
      let first = entries.count
      for t in 0..<table.count {
        let coefficient = coefficients[orbits.member(read, t)]
        if coefficient < 0 { continue }
        let value = row.indices.reduce(0.0) {
          $0 + row[$1] * representation.entry(table.inverses[t], $1, column.column)
        }
        if value == 0 { continue }
        let entry = GroupFourierPlan.WeightEntry(coefficient: coefficient, value: share * factor * value)
        if let known = (first..<entries.count).first(where: { entries[$0].coefficient == coefficient }) {
          entries[known].value += entry.value
        } else {
          try entries.append(entry)
        }
      }
    }
  }
}
