// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The wanted nodes of a graph, covered by operations: of several butterflies where there are such, else of one, else a
/// single sum.
///
/// A node is held with a sign of its own, so that each operation may exchange its operands for the signs that outputs want.
struct TransformSchedule {
  struct Operation {
    let operation: equiconv_transform_operation
    let operands: [Int]
    /// What each result is: a node, times the sign that it is held with.
    let results: [TransformGraph.Value]
    /// Nodes that are only on the way to the results: they are held nowhere.
    var inner: [Int] = []
    var coefficient = 1.0

    var additions: Int {
      switch operation {
      case EQUICONV_STEP_HADAMARD_4: 8
      case EQUICONV_STEP_CYCLIC_4, EQUICONV_STEP_CYCLIC_4_ADJOINT: 6
      case EQUICONV_STEP_HADAMARD_8: 24
      case EQUICONV_STEP_DIHEDRAL_8: 20
      default: results.count
      }
    }
  }

  let graph: TransformGraph
  private(set) var operations: [Operation] = []
  /// The sign that each node is held with; 0 for those that are not computed.
  private var signs: [Double]
  /// Nodes that are computed, or that nothing needs any more.
  private var isDone: [Bool]
  private let isWanted: [Bool]
  /// The sign that an output wants; 0 where none does.
  private let wantedSigns: [Double]
  /// The sums that a node is a term of.
  private let uses: [[Int]]

  init(_ graph: TransformGraph, _ outputs: [TransformGraph.Value?]) {
    self.graph = graph
    signs = (0..<graph.nodes).map { $0 < graph.inputs ? 1 : 0 }
    isDone = signs.map { $0 != 0 }
    var isWanted = [Bool](repeating: false, count: graph.nodes)
    var wantedSigns = [Double](repeating: 0, count: graph.nodes)
    var uses = [[Int]](repeating: [], count: graph.nodes)
    for case let output? in outputs {
      isWanted[output.node] = true
      if wantedSigns[output.node] <= 0 { wantedSigns[output.node] = output.factor < 0 ? -1 : 1 }
    }
    // From the last to the first: a sum that nobody wants does not want its terms.
    for node in (graph.inputs..<graph.nodes).reversed() where isWanted[node] {
      guard let sum = graph.sum(node) else { continue }
      for term in [sum.first, sum.second] {
        isWanted[term] = true
        uses[term].append(node)
      }
    }
    self.isWanted = isWanted
    self.wantedSigns = wantedSigns
    self.uses = uses
  }

  /// The sign that a node is held with.
  func sign(_ node: Int) -> Double { signs[node] }

  mutating func cover() {
    for node in graph.inputs..<graph.nodes where isWanted[node] && !isDone[node] {
      if !isInside(node) { compute(node) }
    }
  }

  private mutating func compute(_ node: Int) {
    guard !isDone[node], let sum = graph.sum(node) else { return }
    if let fused = fusedOperation(from: node, isOrdered: true) { return append(fused) }
    // A term may have waited for an operation that was not to be.
    compute(sum.first)
    compute(sum.second)
    append(simpleOperation(node, sum))
  }

  private mutating func append(_ operation: Operation) {
    for result in operation.results {
      signs[result.node] = result.factor
      isDone[result.node] = true
    }
    for node in operation.inner { isDone[node] = true }
    operations.append(operation)
  }

  private func held(_ node: Int) -> TransformGraph.Value { .init(node: node, factor: signs[node]) }

  // MARK: - Single sums and butterflies

  private func simpleOperation(_ node: Int, _ sum: TransformGraph.Sum) -> Operation {
    let (a, b) = (held(sum.first), held(sum.second))
    let ratio = sum.ratio * a.factor * b.factor
    if abs(ratio) == 1, let added = wanted(a, b), let subtracted = wanted(a, negative(b)) {
      let isSwapped = wantedSigns[subtracted.node] * subtracted.factor < 0
      let operands = isSwapped ? [b.node, a.node] : [a.node, b.node]
      let difference = isSwapped ? negative(subtracted) : subtracted
      return Operation(
        operation: EQUICONV_STEP_BUTTERFLY, operands: operands, results: [added, difference])
    }
    // An operand that is held negative makes a negative result.
    let result = TransformGraph.Value(node: node, factor: a.factor)
    switch ratio {
    case 1:
      return Operation(
        operation: EQUICONV_STEP_ADD, operands: [a.node, b.node], results: [result])
    case -1:
      let isSwapped = wantedSigns[node] * result.factor < 0
      return Operation(
        operation: EQUICONV_STEP_SUBTRACT, operands: isSwapped ? [b.node, a.node] : [a.node, b.node],
        results: [isSwapped ? negative(result) : result])
    default:
      return Operation(
        operation: EQUICONV_STEP_MULTIPLY_ADD, operands: [a.node, b.node], results: [result], coefficient: ratio)
    }
  }

  private func negative(_ value: TransformGraph.Value) -> TransformGraph.Value {
    .init(node: value.node, factor: -value.factor)
  }

  /// a + b if that is wanted and not computed yet.
  private func wanted(_ a: TransformGraph.Value, _ b: TransformGraph.Value) -> TransformGraph.Value? {
    graph.find(a, b).flatMap { isWanted[$0.node] && !isDone[$0.node] ? $0 : nil }
  }

  // MARK: - Several butterflies

  /// Whether a node is only a term of sums and differences that one operation may compute with it: it waits for them.
  private func isInside(_ node: Int) -> Bool {
    uses[node].contains { use in
      fusedOperation(from: use, isOrdered: false).map { isTerm(node, of: $0) } ?? false
    }
  }

  /// Whether an operation computes a node on the way to its results.
  private func isTerm(_ node: Int, of operation: Operation) -> Bool {
    !operation.operands.contains(node)
      && uses[node].allSatisfy { use in
        operation.results.contains { $0.node == use } || isTerm(use, of: operation)
      }
  }

  /// An operation of several butterflies that has a node among its results.
  ///
  /// - Parameter isOrdered: Whether operands are put into the best order.
  private func fusedOperation(from node: Int, isOrdered: Bool) -> Operation? {
    guard let quad = quad(node) else {
      return adjointQuad(node).flatMap { best(.cyclic4Adjoint, $0, isOrdered) }
    }
    let pairs = quad.map { pair($0) }
    if pairs.allSatisfy({ $0 != nil }) {
      let operands = pairs.flatMap { $0 ?? [] }
      for kind in [Fused.hadamard8, .dihedral8] {
        if let found = best(kind, operands, isOrdered) { return found }
      }
    }
    return best(.hadamard4, quad, isOrdered) ?? best(.cyclic4, quad, isOrdered)
  }

  /// For a ± b plus or minus c, which a node is: a, b, c and what is added to the other of a + b and a − b.
  private func adjointQuad(_ node: Int) -> [Int]? {
    guard let sum = graph.sum(node) else { return nil }
    let (inner, added) = pair(sum.first) == nil ? (sum.second, sum.first) : (sum.first, sum.second)
    guard let terms = pair(inner) else { return nil }
    let (a, b) = (held(terms[0]), held(terms[1]))
    if a.factor == 0 || b.factor == 0 { return nil }
    let halves = [graph.find(a, b), graph.find(a, negative(b))]
    guard let place = halves.firstIndex(where: { $0?.node == inner }), let other = halves[1 - place],
      let use = uses[other.node].first, let outer = graph.sum(use)
    else { return nil }
    let otherAdded = outer.first == other.node ? outer.second : outer.first
    return terms + (place == 0 ? [added, otherAdded] : [otherAdded, added])
  }

  /// The four terms of the terms of a node, if they are there.
  private func quad(_ node: Int) -> [Int]? {
    guard let sum = graph.sum(node), abs(sum.ratio) == 1, let first = pair(sum.first), let second = pair(sum.second)
    else { return nil }
    return first + second
  }

  private func pair(_ node: Int) -> [Int]? {
    guard let sum = graph.sum(node), abs(sum.ratio) == 1, !isDone[node] else { return nil }
    return [sum.first, sum.second]
  }

  private enum Fused {
    case hadamard4, cyclic4, cyclic4Adjoint, hadamard8, dihedral8

    var isSmall: Bool { self == .cyclic4 || self == .cyclic4Adjoint }

    var operation: equiconv_transform_operation {
      switch self {
      case .hadamard4: EQUICONV_STEP_HADAMARD_4
      case .cyclic4: EQUICONV_STEP_CYCLIC_4
      case .cyclic4Adjoint: EQUICONV_STEP_CYCLIC_4_ADJOINT
      case .hadamard8: EQUICONV_STEP_HADAMARD_8
      case .dihedral8: EQUICONV_STEP_DIHEDRAL_8
      }
    }
  }

  /// The order of operands for which all results are wanted and most outputs get the sign that they want.
  private func best(_ kind: Fused, _ operands: [Int], _ isOrdered: Bool) -> Operation? {
    // Operands must be computed: an operation cannot wait for a later one.
    if operands.contains(where: { signs[$0] == 0 }) || Set(operands).count < operands.count { return nil }
    // Inputs lie otherwise than scratch.
    if Set(operands.map { $0 < graph.inputs }).count > 1 { return nil }
    // Which results there are does not depend on these orders, only their signs do.
    guard var best = operation(kind, operands) else { return nil }
    if !isOrdered && !kind.isSmall { return best }
    let orders =
      kind == .cyclic4Adjoint ? [[operands[1], operands[0]] + operands[2...]] : Self.orders(operands)
    for order in orders {
      if let other = operation(kind, order), score(other) > score(best) { best = other }
    }
    // A wrong sign costs as much as small operations save.
    let wanted = best.results.count { wantedSigns[$0.node] != 0 }
    return kind.isSmall && score(best) < wanted ? nil : best
  }

  /// Outputs that have the sign that they want.
  private func score(_ operation: Operation) -> Int {
    operation.results.count { wantedSigns[$0.node] * $0.factor > 0 }
  }

  /// Operands with pairs, pairs of pairs, and members of pairs exchanged.
  private static func orders(_ operands: [Int]) -> [[Int]] {
    if operands.count == 1 { return [operands] }
    let half = operands.count / 2
    let (first, second) = (orders(Array(operands[..<half])), orders(Array(operands[half...])))
    return first.flatMap { a in second.flatMap { b in [a + b, b + a] } }
  }

  /// What an operation computes, if all of it is wanted, and nothing on the way is wanted for anything else.
  private func operation(_ kind: Fused, _ operands: [Int]) -> Operation? {
    let values = operands.map { held($0) }
    var inner: [TransformGraph.Value] = []
    let results = self.results(kind, values, &inner)
    guard let results, Set(results.map({ $0.node })).count == results.count else { return nil }
    let made = Set((inner + results).map { $0.node })
    let isClosed = inner.allSatisfy { value in
      wantedSigns[value.node] == 0 && uses[value.node].allSatisfy { made.contains($0) }
    }
    if !isClosed { return nil }
    return Operation(operation: kind.operation, operands: operands, results: results, inner: inner.map { $0.node })
  }

  private func results(
    _ kind: Fused, _ x: [TransformGraph.Value], _ inner: inout [TransformGraph.Value]
  ) -> [TransformGraph.Value]? {
    switch kind {
    case .hadamard4: return hadamard4(x, &inner)
    case .cyclic4:
      guard let (sums, differences) = neighbors(x) else { return nil }
      inner += sums
      return butterflies(sums).map { $0 + differences }
    case .cyclic4Adjoint:
      guard let (sums, differences) = neighbors(Array(x[..<2])) else { return nil }
      inner += sums + differences
      guard let first = butterflies([sums[0], x[2]]) else { return nil }
      return butterflies([differences[0], x[3]]).map { first + $0 }
    case .hadamard8, .dihedral8:
      guard let (sums, differences) = neighbors(x) else { return nil }
      inner += sums + differences
      guard let first = hadamard4(sums, &inner) else { return nil }
      let second = kind == .hadamard8 ? hadamard4(differences, &inner) : butterflies(differences)
      return second.map { first + $0 }
    }
  }

  private func hadamard4(
    _ x: [TransformGraph.Value], _ inner: inout [TransformGraph.Value]
  ) -> [TransformGraph.Value]? {
    guard let (sums, differences) = neighbors(x), let first = butterflies(sums), let second = butterflies(differences)
    else { return nil }
    inner += sums + differences
    return first + second
  }

  private func neighbors(_ x: [TransformGraph.Value]) -> ([TransformGraph.Value], [TransformGraph.Value])? {
    var sums: [TransformGraph.Value] = []
    var differences: [TransformGraph.Value] = []
    for first in stride(from: 0, to: x.count, by: 2) {
      guard let sum = wanted(x[first], x[first + 1]), let difference = wanted(x[first], negative(x[first + 1]))
      else { return nil }
      sums.append(sum)
      differences.append(difference)
    }
    return (sums, differences)
  }

  /// Sum and difference of each two neighbors.
  private func butterflies(_ x: [TransformGraph.Value]) -> [TransformGraph.Value]? {
    neighbors(x).map { sums, differences in zip(sums, differences).flatMap { [$0, $1] } }
  }
}
