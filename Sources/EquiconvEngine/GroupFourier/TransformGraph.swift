// SPDX-License-Identifier: Apache-2.0

/// A graph of sums of two, of which equal ones are one node.
///
/// A node is kept up to a factor: a + b and −2 a − 2 b are one. So neither the order of the two terms nor their common sign
/// matters, as they do not to the rounding.
struct TransformGraph {
  /// A node times a factor; nil stands for zero.
  struct Value: Hashable {
    var node: Int
    var factor: Double
  }

  /// first + ratio · second.
  struct Sum: Hashable {
    var first: Int
    var second: Int
    var ratio: Double
  }

  /// Nodes 0 ..< inputs.
  let inputs: Int
  /// The nodes behind the inputs. Terms come before their sums.
  private(set) var sums: [Sum] = []
  private var known: [Sum: Int] = [:]

  init(inputs: Int) { self.inputs = inputs }

  var nodes: Int { inputs + sums.count }

  /// The terms of a node; nil for an input.
  func sum(_ node: Int) -> Sum? { node < inputs ? nil : sums[node - inputs] }

  func input(_ number: Int, times coefficient: Double) -> Value? {
    coefficient == 0 ? nil : Value(node: number, factor: coefficient)
  }

  mutating func add(_ a: Value?, _ b: Value?) -> Value? {
    guard let a, let b else { return a ?? b }
    if a.node == b.node {
      let factor = a.factor + b.factor
      return factor == 0 ? nil : Value(node: a.node, factor: factor)
    }
    if let found = find(a, b) { return found }
    let (sum, factor) = Self.normalized(a, b)
    known[sum] = nodes
    sums.append(sum)
    return Value(node: nodes - 1, factor: factor)
  }

  /// a + b, if that is in the graph.
  func find(_ a: Value, _ b: Value) -> Value? {
    let (sum, factor) = Self.normalized(a, b)
    return known[sum].map { Value(node: $0, factor: factor) }
  }

  private static func normalized(_ a: Value, _ b: Value) -> (Sum, factor: Double) {
    let (a, b) = a.node < b.node ? (a, b) : (b, a)
    return (Sum(first: a.node, second: b.node, ratio: b.factor / a.factor), a.factor)
  }

  /// The steps that compute these values.
  ///
  /// - Parameter outputsLieApart: Whether the vectors of an output lie otherwise than those of scratch.
  /// - Throws: `outOfMemory`.
  func program(_ outputs: [Value?], outputsLieApart: Bool) throws(ConvolutionError) -> TransformProgram {
    var schedule = TransformSchedule(self, outputs)
    schedule.cover()
    var slots = TransformSlots(schedule, outputs, outputsLieApart: outputsLieApart)
    return try slots.program()
  }
}
