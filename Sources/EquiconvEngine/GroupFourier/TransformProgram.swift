// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// A linear map of vectors as steps for the microkernel `transform`.
///
/// Slots are numbered: inputs, then outputs, then scratch.
struct TransformProgram: Sendable {
  let inputs: Int
  let outputs: Int
  let scratch: Int
  let steps: FixedArray<equiconv_transform_step>

  var slots: Int { inputs + outputs + scratch }
  /// Additions, the measure of its cost.
  var additions: Int {
    steps.reduce(0) { $0 + ($1.operation == EQUICONV_STEP_BUTTERFLY ? 2 : 1) }
  }
}

/// Builds a program from sums of two, of which equal ones are computed once.
///
/// A sum is kept up to a factor: a + b and −2 a − 2 b are one. So the order of the two terms and their common sign do
/// not matter, as they do not to the rounding.
struct TransformProgramBuilder {
  /// A node of the graph of sums, times a factor.
  struct Value {
    var node: Int
    var factor: Double
  }

  /// first + ratio · second; an input has no terms.
  private struct Sum: Hashable {
    var first: Int
    var second: Int
    var ratio: Double
  }

  let inputs: Int
  /// Nodes behind the inputs.
  private var sums: [Sum] = []
  private var known: [Sum: Int] = [:]

  init(inputs: Int) { self.inputs = inputs }

  /// An input times a coefficient; nil, which stands for zero, if that is 0.
  func input(_ number: Int, times coefficient: Double) -> Value? {
    coefficient == 0 ? nil : Value(node: number, factor: coefficient)
  }

  mutating func add(_ a: Value?, _ b: Value?) -> Value? {
    guard var a, var b else { return a ?? b }
    if a.node == b.node {
      let factor = a.factor + b.factor
      return factor == 0 ? nil : Value(node: a.node, factor: factor)
    }
    if b.node < a.node { swap(&a, &b) }
    let sum = Sum(first: a.node, second: b.node, ratio: b.factor / a.factor)
    if let node = known[sum] { return Value(node: node, factor: a.factor) }
    let node = inputs + sums.count
    sums.append(sum)
    known[sum] = node
    return Value(node: node, factor: a.factor)
  }

  /// The steps that compute these values.
  /// - Throws: `outOfMemory`.
  func program(_ outputs: [Value?]) throws(ConvolutionError) -> TransformProgram {
    var emission = Emission(self, outputs)
    return try emission.program()
  }

  /// Assigns slots and writes the steps, in the order in which sums were first asked for.
  private struct Emission {
    let builder: TransformProgramBuilder
    let outputs: [Value?]
    /// The step after which each node is no longer needed.
    private var lastUse: [Int]
    private var isWanted: [Bool]
    /// Differences of which only the negative is wanted: computed the other way around.
    private var isReversed: [Bool]
    /// Outputs that are each node itself: the first is where it is computed.
    private var aliases: [Int: [Int]] = [:]
    private var slotOfNode: [Int]
    private var free: [Int] = []
    private var scratch = 0
    private var steps: [equiconv_transform_step] = []

    init(_ builder: TransformProgramBuilder, _ outputs: [Value?]) {
      self.builder = builder
      self.outputs = outputs
      let nodes = builder.inputs + builder.sums.count
      slotOfNode = (0..<nodes).map { $0 < builder.inputs ? $0 : -1 }
      isReversed = [Bool](repeating: false, count: nodes)
      isWanted = isReversed
      lastUse = [Int](repeating: -1, count: nodes)
      var isTerm = isReversed
      for case let output? in outputs { isWanted[output.node] = true }
      // From the last to the first: a sum that nobody needs does not need its terms.
      for (index, sum) in builder.sums.enumerated().reversed() where isWanted[builder.inputs + index] {
        for node in [sum.first, sum.second] { (isWanted[node], isTerm[node]) = (true, true) }
      }
      for (index, sum) in builder.sums.enumerated() where isWanted[builder.inputs + index] {
        // Of a butterfly, the earlier brings the later.
        let partner = self.partner(of: sum) ?? .max
        for node in [sum.first, sum.second] { lastUse[node] = max(lastUse[node], min(index, partner - builder.inputs)) }
      }
      for case let output? in outputs { lastUse[output.node] = .max }
      for (index, sum) in builder.sums.enumerated() where sum.ratio == -1 && !isTerm[builder.inputs + index] {
        let node = builder.inputs + index
        isReversed[node] = outputs.allSatisfy { $0?.node != node || $0?.factor == -1 }
      }
      for (number, output) in outputs.enumerated() {
        guard let output, output.node >= builder.inputs else { continue }
        if output.factor == (isReversed[output.node] ? -1 : 1) { aliases[output.node, default: []].append(number) }
      }
    }

    private var firstScratch: Int { builder.inputs + outputs.count }

    mutating func program() throws(ConvolutionError) -> TransformProgram {
      for index in builder.sums.indices {
        let node = builder.inputs + index
        if !isWanted[node] || slotOfNode[node] >= 0 { continue }
        emit(node, builder.sums[index])
      }
      for (number, output) in outputs.enumerated() { finish(number, output) }
      return TransformProgram(
        inputs: builder.inputs, outputs: outputs.count, scratch: scratch, steps: try Table(steps).frozen())
    }

    /// The difference of a sum's terms, or the sum of a difference's, if that is wanted too.
    private func partner(of sum: Sum) -> Int? {
      if abs(sum.ratio) != 1 { return nil }
      let partner = builder.known[Sum(first: sum.first, second: sum.second, ratio: -sum.ratio)]
      return partner.flatMap { isWanted[$0] ? $0 : nil }
    }

    private mutating func emit(_ node: Int, _ sum: Sum) {
      var (a, b) = (slotOfNode[sum.first], slotOfNode[sum.second])
      let partner = self.partner(of: sum)
      if isReversed[node] || partner.map({ isReversed[$0] }) ?? false { swap(&a, &b) }
      release(sum, at: node - builder.inputs)
      let slot = allocate(node)
      if let partner {
        let other = allocate(partner)
        let (added, subtracted) = sum.ratio > 0 ? (slot, other) : (other, slot)
        append(EQUICONV_STEP_BUTTERFLY, a, b, sum: added, difference: subtracted)
        return
      }
      switch sum.ratio {
      case 1: append(EQUICONV_STEP_ADD, a, b, sum: slot)
      case -1: append(EQUICONV_STEP_SUBTRACT, a, b, sum: slot)
      default: append(EQUICONV_STEP_MULTIPLY_ADD, a, b, sum: slot, coefficient: sum.ratio)
      }
    }

    /// Frees the slots of terms that no later sum needs. A step may write where it reads.
    private mutating func release(_ sum: Sum, at index: Int) {
      for node in [sum.first, sum.second] {
        let slot = slotOfNode[node]
        if lastUse[node] <= index && slot >= firstScratch && !free.contains(slot) { free.append(slot) }
      }
    }

    private mutating func allocate(_ node: Int) -> Int {
      if let output = aliases[node]?.first {
        slotOfNode[node] = builder.inputs + output
      } else if let slot = free.popLast() {
        slotOfNode[node] = slot
      } else {
        slotOfNode[node] = firstScratch + scratch
        scratch += 1
      }
      return slotOfNode[node]
    }

    /// Outputs that are not computed in their own slot.
    private mutating func finish(_ number: Int, _ output: Value?) {
      let slot = builder.inputs + number
      guard let output else {
        // Nothing is added up: zeros, whatever the first input is.
        append(EQUICONV_STEP_SUBTRACT, 0, 0, sum: slot)
        return
      }
      let source = slotOfNode[output.node]
      if source == slot { return }
      switch isReversed[output.node] ? -output.factor : output.factor {
      case 1: append(EQUICONV_STEP_COPY, source, source, sum: slot)
      case -1: append(EQUICONV_STEP_NEGATE, source, source, sum: slot)
      default: append(EQUICONV_STEP_SCALE, source, source, sum: slot, coefficient: output.factor)
      }
    }

    private mutating func append(
      _ operation: equiconv_transform_operation, _ first: Int, _ second: Int, sum: Int, difference: Int = -1,
      coefficient: Double = 1
    ) {
      steps.append(
        equiconv_transform_step(
          operation: operation, first: Int32(first), second: Int32(second), sum: Int32(sum),
          difference: Int32(difference), coefficient: coefficient))
    }
  }
}
