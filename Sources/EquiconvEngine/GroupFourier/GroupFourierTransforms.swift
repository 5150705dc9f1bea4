// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory

/// The forward transform of reads with one stabilizer S: ẑ(R) = Σ_h z[h] R(h) for each representation R.
///
/// z is constant on the left cosets of S, so that one read of each is an input, and the pivot columns of ẑ determine
/// the others.
package struct ReadTransform: Sendable {
  /// The places of the cosets' first elements: input i is what the i-th carries the read to.
  package let cosets: [Int]
  /// For each representation the columns of ẑ that are computed, and their factors: what is computed is ẑ[:, b] / factor.
  package let columns: [InvariantColumns]
  package let factors: [[Double]]
  /// Outputs: (representation, column, row).
  package let program: TransformProgram

  /// - Parameter rows: The rows of ẑ that are wanted of each representation.
  package init(
    _ transform: GroupTransform, _ table: SubgroupTable, stabilizer: [Int], rows: [[Int]]
  ) throws(ConvolutionError) {
    let cosets = table.leftCosets(of: stabilizer, in: Array(0..<table.count))
    var inputOfElement = [Int](repeating: 0, count: table.count)
    for (input, first) in cosets.enumerated() {
      for member in stabilizer { inputOfElement[table.product(first, member)] = input }
    }
    var tree = CosetSums(table: table, inputOfElement: inputOfElement, inputs: cosets.count)
    var columns: [InvariantColumns] = []
    var factors: [[Double]] = []
    var outputs: [TransformGraph.Value?] = []
    for (number, representation) in transform.representations.enumerated() {
      let invariants =
        rows[number].isEmpty
        ? InvariantColumns(projection: [], dimension: 0) : representation.invariants(of: stabilizer)
      columns.append(invariants)
      factors.append(
        invariants.pivots.map { column in
          let values = rows[number].map { row in
            tree.sum(along: representation.chains[column]) { representation.entry($0, row, column) }
          }
          let factor = values.reduce(0) { max($0, abs($1?.factor ?? 0)) }
          outputs += values.map { value in value.map { .init(node: $0.node, factor: $0.factor / factor) } }
          return factor
        })
    }
    self.cosets = cosets
    self.columns = columns
    self.factors = factors
    program = try tree.graph.program(outputs, outputsLieApart: false)
  }
}

/// Sums over a group, nested by left cosets of a chain of subgroups.
///
/// Left multiplication carries cosets to cosets. So it exchanges equal sums, and, where every index is 2, changes no
/// bit of one.
private struct CosetSums {
  let table: SubgroupTable
  let inputOfElement: [Int]
  var graph: TransformGraph

  init(table: SubgroupTable, inputOfElement: [Int], inputs: Int) {
    self.table = table
    self.inputOfElement = inputOfElement
    graph = TransformGraph(inputs: inputs)
  }

  /// Σ_h z[h] entry(h), nested by the left cosets of a chain.
  mutating func sum(along chain: [[Int]], _ entry: (Int) -> Double) -> TransformGraph.Value? {
    let cosets = table.leftCosets(of: chain.last ?? [0], in: Array(0..<table.count))
    return cosets.reduce(nil) { partial, first in graph.add(partial, sum(coset: first, chain[...], entry)) }
  }

  private mutating func sum(
    coset first: Int, _ chain: ArraySlice<[Int]>, _ entry: (Int) -> Double
  ) -> TransformGraph.Value? {
    guard let subgroup = chain.last, subgroup.count > 1 else {
      return graph.input(inputOfElement[first], times: entry(first))
    }
    let smaller = chain.dropLast()
    let parts = table.leftCosets(of: smaller.last ?? [0], in: subgroup.map { table.product(first, $0) })
    return parts.reduce(nil) { partial, part in graph.add(partial, sum(coset: part, smaller, entry)) }
  }
}

/// The inverse transform to one orbit of output points p, whose first has the stabilizer P:
/// y(h) = Σ_R scale Σ_q Σ_a R(h⁻¹)[q, a] ŷ(R)[a, q] at h·p.
struct PointTransform: Sendable {
  /// One column of ŷ that is computed.
  struct Column: Sendable {
    let representation: Int
    /// In the representation, which has this dimension.
    let column: Int
    let dimension: Int
    /// ŷ times this is computed.
    let factor: Double
    /// The sum of the coefficients of its rows, if none is negative and the sum is the same at every point: a bias may
    /// begin such a column, divided by the sum.
    let sum: Double?
  }

  let columns: [Column]
  /// [column][point][row of the representation].
  let coefficients: [[[Double]]]
  /// Whether at most two rows of a column are added up: then the order does not matter.
  let isOrderless: Bool

  init(_ transform: GroupTransform, _ table: SubgroupTable, stabilizer: [Int], points: [Int]) {
    var columns: [Column] = []
    var coefficients: [[[Double]]] = []
    var isOrderless = true
    for (number, representation) in transform.representations.enumerated() {
      let invariants = representation.invariants(of: stabilizer)
      for (pivot, row) in zip(invariants.pivots, invariants.rows) {
        let values = points.map { point in
          Self.coefficients(representation, table, row, at: stabilizer.map { table.product(point, $0) })
        }
        let factor = values.joined().reduce(0) { max($0, abs($1)) }
        if factor == 0 { continue }
        let scaled = values.map { $0.map { $0 / factor } }
        columns.append(
          Column(
            representation: number, column: pivot, dimension: representation.dimension, factor: factor,
            sum: Self.commonSum(scaled)))
        coefficients.append(scaled)
        isOrderless = isOrderless && scaled.allSatisfy { point in point.count { $0 != 0 } <= 2 }
      }
    }
    self.columns = columns
    self.coefficients = coefficients
    self.isOrderless = isOrderless
  }

  private static func commonSum(_ points: [[Double]]) -> Double? {
    let sums = points.map { $0.reduce(0, +) }
    let isPositive = points.allSatisfy { $0.allSatisfy { $0 >= 0 } }
    return isPositive && sums.allSatisfy { abs($0 - sums[0]) < 1e-9 } ? sums.first : nil
  }

  /// Those of the rows of one column, a mean over the elements that carry p to the same point.
  private static func coefficients(
    _ representation: Representation, _ table: SubgroupTable, _ invariant: [Double], at elements: [Int]
  ) -> [Double] {
    (0..<representation.dimension).map { row in
      let sum = elements.reduce(0.0) { sum, element in
        (0..<representation.columns).reduce(sum) {
          $0 + invariant[$1] * representation.entry(table.inverses[element], $1, row)
        }
      }
      let value = representation.scale * sum / Double(elements.count)
      return abs(value) < 1e-12 ? 0 : value
    }
  }

  /// The rows of each representation that some point needs.
  func addRows(to rows: inout [[Int]]) {
    for (column, values) in zip(columns, coefficients) {
      for row in values[0].indices where values.contains(where: { $0[row] != 0 }) {
        if !rows[column.representation].contains(row) { rows[column.representation].append(row) }
      }
      rows[column.representation].sort()
    }
  }

  /// Inputs: (column, row of those wanted); outputs: points.
  func program(rows: [[Int]]) throws(ConvolutionError) -> TransformProgram {
    // Equal columns of representations of one dimension often have the same rows at a point: their sums are shared.
    let order = columns.indices.sorted { a, b in
      let (a, b) = (columns[a], columns[b])
      return (a.dimension, a.column, a.representation) < (b.dimension, b.column, b.representation)
    }
    let sums = zip(columns, coefficients).map { column, points in
      points.map { values in rows[column.representation].map { values[$0] } }
    }
    return try TransformProgram(sums: sums, order: order, outputsLieApart: true)
  }

  /// The adjoint of the map that `program` computes. Inputs: points; outputs: (column, row).
  ///
  /// It is again a sum over the group, nested along the column's chain as those of reads are. With the coefficients s of a
  /// column, `Σ_p s[p, a] g(p) = Σ_j share_j Σ_{h ∈ L} g(h p₀) R(h)[a, j]`.
  func adjoint(
    _ transform: GroupTransform, _ table: SubgroupTable, _ output: TapOrbits.Output, rows: [[Int]]
  ) throws(ConvolutionError) -> TransformProgram {
    var pointOfElement = [Int](repeating: 0, count: table.count)
    for (number, turned) in output.turned.enumerated() {
      for member in output.stabilizer { pointOfElement[table.product(turned.place, member)] = number }
    }
    var tree = CosetSums(table: table, inputOfElement: pointOfElement, inputs: output.turned.count)
    let outputs = columns.flatMap { column in
      let representation = transform.representations[column.representation]
      let shares = Self.shares(of: column, representation, stabilizer: output.stabilizer)
      return rows[column.representation].map { row in
        tree.sum(along: representation.chains[column.column]) { element in
          shares.others.reduce(0) { $0 + $1.share * representation.entry(element, row, $1.column) }
        }.map { TransformGraph.Value(node: $0.node, factor: Self.rounded(shares.own * $0.factor)) }
      }
    }
    return try tree.graph.program(outputs, outputsLieApart: false)
  }

  /// What each pivot column j of Σ_h g(h p₀) R(h) adds to a column k of the adjoint: with the rows A of the invariants of P,
  /// scale Σ_{q<columns} A[k, q] A[j, q] / (factor |P|), as a multiple of what its own adds. By signed permutations the rows
  /// do not overlap, and its own is the only one.
  private static func shares(
    of column: Column, _ representation: Representation, stabilizer: [Int]
  ) -> (own: Double, others: [(column: Int, share: Double)]) {
    let invariants = representation.invariants(of: stabilizer)
    guard let pivot = invariants.pivots.firstIndex(of: column.column) else { return (0, []) }
    let products = invariants.rows.map { row in
      (0..<representation.columns).reduce(0) { $0 + row[$1] * invariants.rows[pivot][$1] }
    }
    let others = zip(invariants.pivots, products).map { (column: $0, share: $1 / products[pivot]) }
    return (
      representation.scale * products[pivot] / (column.factor * Double(stabilizer.count)),
      others.filter { abs($0.share) > 1e-12 }
    )
  }

  /// Whole numbers as they are.
  private static func rounded(_ value: Double) -> Double {
    abs(value - value.rounded()) < 1e-9 ? value.rounded() : value
  }
}

extension TransformProgram {
  /// Sums over columns, and in each column over rows. Inputs: (column, row).
  ///
  /// What a turned signal exchanges are rows: up to two are added up alike in either order. The sum over columns has one
  /// order, which their number alone determines.
  ///
  /// - Parameters:
  ///   - sums: The coefficients [column][output][row].
  ///   - order: The columns in the order in which they are added.
  ///   - outputsLieApart: As in `TransformGraph.program`.
  init(sums: [[[Double]]], order: [Int], outputsLieApart: Bool) throws(ConvolutionError) {
    var starts: [Int] = []
    var inputs = 0
    for column in sums {
      starts.append(inputs)
      inputs += column.first?.count ?? 0
    }
    var graph = TransformGraph(inputs: inputs)
    let outputs = (sums.first ?? []).indices.map { output in
      let terms = order.map { column in
        sums[column][output].enumerated().reduce(nil) { sum, row in
          graph.add(sum, graph.input(starts[column] + row.offset, times: row.element))
        }
      }
      return Self.balanced(terms[...], &graph)
    }
    self = try graph.program(outputs, outputsLieApart: outputsLieApart)
  }

  /// The sum of all by a tree that their number alone determines.
  private static func balanced(
    _ terms: ArraySlice<TransformGraph.Value?>, _ graph: inout TransformGraph
  ) -> TransformGraph.Value? {
    if terms.count <= 1 { return terms.first ?? nil }
    var half = 1
    while 2 * half < terms.count { half *= 2 }
    let first = balanced(terms.prefix(half), &graph)
    return graph.add(first, balanced(terms.dropFirst(half), &graph))
  }
}
