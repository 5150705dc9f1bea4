// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// Gives the nodes of a schedule slots, and writes its steps.
struct TransformSlots {
  private let schedule: TransformSchedule
  private let outputs: [TransformGraph.Value?]
  private let inputs: Int
  /// The operation after which each node is no longer needed.
  private var lastUse: [Int]
  private var slotOfNode: [Int]
  /// The output that a node is, and is computed in.
  private var outputOfNode: [Int]
  private var free: [Int] = []
  private var scratch = 0
  private var copies: [Int] = []
  private var steps: [equiconv_transform_step] = []
  private var work = TransformWork.zero

  init(_ schedule: TransformSchedule, _ outputs: [TransformGraph.Value?], outputsLieApart: Bool) {
    self.schedule = schedule
    self.outputs = outputs
    let nodes = schedule.graph.nodes
    inputs = schedule.graph.inputs
    lastUse = [Int](repeating: -1, count: nodes)
    slotOfNode = (0..<nodes).map { $0 < schedule.graph.inputs ? $0 : -1 }
    outputOfNode = [Int](repeating: -1, count: nodes)
    for (number, operation) in schedule.operations.enumerated() {
      for operand in operation.operands { lastUse[operand] = number }
    }
    for case (let number, let output?) in zip(outputs.indices, outputs) {
      lastUse[output.node] = .max
      if output.node >= inputs && output.factor == schedule.sign(output.node) && outputOfNode[output.node] < 0 {
        outputOfNode[output.node] = number
      }
    }
    if outputsLieApart { keepApart() }
  }

  /// Operands of one operation, and results of one, are all outputs or none of them.
  private mutating func keepApart() {
    for operation in schedule.operations where operation.operation.readsConsecutiveSlots {
      for node in operation.operands { outputOfNode[node] = -1 }
      let results = operation.results.map { $0.node }
      if results.contains(where: { outputOfNode[$0] < 0 }) { for node in results { outputOfNode[node] = -1 } }
    }
  }

  private var firstScratch: Int { inputs + outputs.count }

  mutating func program() throws(ConvolutionError) -> TransformProgram {
    for (number, operation) in schedule.operations.enumerated() { emit(operation, number) }
    for (number, output) in outputs.enumerated() { finish(number, output) }
    resolveCopies()
    return TransformProgram(
      inputs: inputs, outputs: outputs.count, scratch: scratch,
      copies: try PlanTable(copies.map { Int32($0) }).frozen(),
      steps: try PlanTable(steps).frozen(), work: work)
  }

  private mutating func emit(_ operation: TransformSchedule.Operation, _ number: Int) {
    let operands = operation.operands.map { slotOfNode[$0] }
    // An operation may write where it reads.
    for node in operation.operands where lastUse[node] <= number && slotOfNode[node] >= firstScratch {
      free.append(slotOfNode[node])
    }
    let results = operation.results.map { allocate($0.node) }
    work.accesses += operands.count + results.count
    work.additions += operation.additions
    if operation.operation.readsConsecutiveSlots {
      append(operation.operation, copied(operands), 0, sum: copied(results))
    } else {
      append(
        operation.operation, operands[0], operands[1], sum: results[0], difference: results.count > 1 ? results[1] : -1,
        coefficient: operation.coefficient)
    }
  }

  private mutating func allocate(_ node: Int) -> Int {
    if outputOfNode[node] >= 0 {
      slotOfNode[node] = inputs + outputOfNode[node]
    } else if let slot = free.popLast() {
      slotOfNode[node] = slot
    } else {
      slotOfNode[node] = firstScratch + scratch
      scratch += 1
    }
    return slotOfNode[node]
  }

  /// The first of the slots, one after the other, that stand for these: among the copies, until the scratch is counted.
  private mutating func copied(_ slots: [Int]) -> Int {
    copies += slots
    return copies.count - slots.count
  }

  private mutating func resolveCopies() {
    let first = Int32(firstScratch + scratch)
    for index in steps.indices where steps[index].operation.readsConsecutiveSlots {
      steps[index].first += first
      steps[index].sum += first
    }
  }

  /// Outputs that are not computed in their own slot.
  private mutating func finish(_ number: Int, _ output: TransformGraph.Value?) {
    let slot = inputs + number
    guard let output else {
      // Nothing is added up: zeros, whatever the first input is.
      return append(EQUICONV_STEP_SUBTRACT, 0, 0, sum: slot)
    }
    let source = slotOfNode[output.node]
    if source == slot { return }
    work.accesses += 2
    switch output.factor * schedule.sign(output.node) {
    case 1: append(EQUICONV_STEP_COPY, source, source, sum: slot)
    case -1: append(EQUICONV_STEP_NEGATE, source, source, sum: slot)
    case let factor: append(EQUICONV_STEP_SCALE, source, source, sum: slot, coefficient: factor)
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

extension equiconv_transform_operation {
  /// Whether a step is of several butterflies, whose operands and results are slots one after the other.
  fileprivate var readsConsecutiveSlots: Bool {
    switch self {
    case EQUICONV_STEP_HADAMARD_4, EQUICONV_STEP_CYCLIC_4, EQUICONV_STEP_CYCLIC_4_ADJOINT, EQUICONV_STEP_HADAMARD_8,
      EQUICONV_STEP_DIHEDRAL_8:
      true
    default: false
    }
  }
}
