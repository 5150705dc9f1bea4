// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvMemory

/// The steps of a network in the order they run, made from its graph: one for each operation, and those that operations
/// are made of.
package struct NetworkProgram: Sendable {
  package let graph: NetworkGraph
  package internal(set) var steps: [NetworkStep] = []
  /// Those of the graph, and what steps write between.
  package internal(set) var values: [StepValue]
  /// The value of each output, no two of them the same, each written by a step.
  package internal(set) var outputs: [Int]

  /// - Parameter simplified: whether steps are folded into each other; see `NetworkProgram+Simplification.swift`.
  init(_ graph: NetworkGraph, tensors: some NetworkTensors, simplified: Bool = true) throws(NetworkError) {
    self.graph = graph
    values = graph.types.enumerated().map { StepValue(channels: $1.channels, points: $1.points, extents: $0) }
    outputs = graph.outputs
    let input = try normalizeInput()
    for number in graph.document.operations.indices {
      let read = graph.inputs[number].map { $0 == 0 ? input : $0 }
      try append(number, read, ParameterReader(tensors: tensors, document: graph.document))
    }
    separateOutputs()
    dropDeadSteps()
    if simplified { try simplify() }
    separateViews()
  }

  /// - Returns: the value that operations read in place of the input.
  private mutating func normalizeInput() throws(NetworkError) -> Int {
    guard let normalization = graph.document.input.normalization else { return 0 }
    let value = newValue(like: 0)
    // Not folded into a convolution: what is padded is the normalized signal.
    steps.append(
      NetworkStep(work: .affine(try ChannelScaling(normalization)), operation: nil, inputs: [0], output: value))
    return value
  }

  /// A value of the type of another.
  mutating func newValue(like value: Int) -> Int {
    values.append(values[value])
    return values.count - 1
  }

  /// Gives each output a value of its own.
  private mutating func separateOutputs() {
    for (place, value) in outputs.enumerated() where outputs[..<place].contains(value) {
      outputs[place] = newValue(like: value)
      steps.append(NetworkStep(work: .copy, operation: value - 1, inputs: [value], output: outputs[place]))
    }
  }

  /// Views of what the caller's arrays hold are copies: of the input, and of memory that is an output already.
  private mutating func separateViews() {
    var memories = Array(values.indices)
    var callers = Set([0] + outputs)
    for index in steps.indices {
      guard case .view = steps[index].work else { continue }
      let memory = memories[steps[index].inputs[0]]
      if callers.contains(memory) {
        steps[index].work = .copy
      } else {
        memories[steps[index].output] = memory
        if outputs.contains(steps[index].output) { callers.insert(memory) }
      }
    }
  }

  // MARK: - Operations

  private mutating func append<T>(
    _ number: Int, _ inputs: [Int], _ reader: ParameterReader<T>
  ) throws(NetworkError) {
    let output = number + 1
    func step(_ work: StepWork, _ inputs: [Int], _ output: Int, _ pointwise: Pointwise? = nil) -> NetworkStep {
      NetworkStep(work: work, operation: number, inputs: inputs, output: output, pointwise: pointwise)
    }
    let type = graph.types[graph.inputs[number][0]]
    switch graph.document.operations[number].kind {
    case .pointwise(let function): steps.append(step(.pointwise, inputs, output, function))
    case .groupPool(let mode, let stabilizer):
      let points = try fiberOrder(type, pooledBy: stabilizer, number)
      var read = inputs[0]
      if let members = points.members {
        read = newValue(like: inputs[0])
        steps.append(step(.gather(from: type.points, points: members), inputs, read))
      }
      steps.append(step(.groupPool(mode, points: points.count), [read], output))
    case .restrict(let subgroup):
      steps.append(step(.gather(from: type.points, points: try restriction(type, subgroup)), inputs, output))
    case .induce(let name, let stabilizer):
      let points = try induction(name, stabilizer, number)
      steps.append(step(.gather(from: type.points, points: points), inputs, output))
    case let kind: steps.append(step(try reader.work(of: kind), inputs, output))
    }
  }

  /// How many points are pooled at a time, and the order in which these lie beside each other, unless they do.
  private func fiberOrder(
    _ type: SignalType, pooledBy stabilizer: [Int]?, _ number: Int
  ) throws(NetworkError) -> (count: Int, members: FixedArray<Int>?) {
    guard let stabilizer, let group = type.group else { return (type.points, nil) }
    let space = try space(group, stabilizer, number)
    let size = group.order / space.count
    // Elements by their points, and in their order within a point.
    let members = try NetworkTable<Int>(repeating: 0, count: group.order)
    let ends = try NetworkTable<Int>(count: space.count) { $0 * size }
    for element in 0..<group.order {
      let point = space.coset(of: element)
      members[ends[point]] = element
      ends[point] += 1
    }
    let order = members.frozen()
    return (size, order.enumerated().allSatisfy { $0 == $1 } ? nil : order)
  }

  /// `y[c, i, j] = x[c, l_j r_i]` with the elements l_j of L ascending and r_i the smallest of the right coset i.
  private func restriction(_ type: SignalType, _ subgroup: [Int]) throws(NetworkError) -> FixedArray<Int> {
    var points = NetworkTable<Int>()
    // The graph has checked that there is a closed group.
    guard let group = type.group else { return points.frozen() }
    let elements = subgroup.sorted()
    let isCovered = try NetworkTable<Bool>(repeating: false, count: group.order)
    for representative in 0..<group.order where !isCovered[representative] {
      for element in elements {
        let product = group.product(element, representative)
        isCovered[product] = true
        try points.append(product)
      }
    }
    return points.frozen()
  }

  /// `y[h] = x[h K]`.
  private func induction(_ name: String, _ stabilizer: [Int], _ number: Int) throws(NetworkError) -> FixedArray<Int> {
    guard let group = graph.document.groups[name] else { return FixedArray() }
    let space = try space(group, stabilizer, number)
    return try NetworkTable<Int>(count: group.order) { space.coset(of: $0) }.frozen()
  }

  private func space(
    _ group: PointGroup, _ stabilizer: [Int], _ number: Int
  ) throws(NetworkError) -> HomogeneousSpace {
    do throws(GroupError) {
      return try HomogeneousSpace(group: group, stabilizer: stabilizer)
    } catch {
      throw .group(error, place: graph.document.place(number))
    }
  }
}
