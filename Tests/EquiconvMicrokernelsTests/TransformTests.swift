// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

@Suite struct TransformTests {
  private static let operations: [equiconv_transform_operation] = [
    EQUICONV_STEP_BUTTERFLY, EQUICONV_STEP_ADD, EQUICONV_STEP_SUBTRACT, EQUICONV_STEP_COPY, EQUICONV_STEP_NEGATE,
    EQUICONV_STEP_SCALE, EQUICONV_STEP_MULTIPLY_ADD,
  ]

  /// Every operation, over every count of vectors that are taken at a time and what is left of them.
  @Test(arguments: InstructionSet.available, operations)
  func transform_ofOneStep_isItsFormula_toTheLastBit(_ set: InstructionSet, _ operation: equiconv_transform_operation) {
    for vectors in 0...9 {
      let step = equiconv_transform_step(
        operation: operation, first: 0, second: 1, sum: 2, difference: 3, coefficient: 0.8660254037844386)
      check(Float.self, set, [step], vectors)
      check(Double.self, set, [step], vectors)
    }
  }

  /// A slot may be result and operand of one step, and results of a step are operands of later ones.
  @Test(arguments: InstructionSet.available)
  func transform_ofManySteps_runsThemInOrder_toTheLastBit(_ set: InstructionSet) {
    for seed in 1...20 {
      var random = SplitMix64(seed: UInt64(seed))
      let steps = (0..<30).map { _ in randomStep(&random) }
      check(Float.self, set, steps, seed % 13)
      check(Double.self, set, steps, seed % 13)
    }
  }

  /// Coefficients of at most one half, so that numbers stay below those of the guards.
  private func randomStep(_ random: inout SplitMix64) -> equiconv_transform_step {
    var slots = (0..<TransformProblem<Float>.slotCount).map(Int32.init)
    slots.shuffle(using: &random)
    let isInPlace = Bool.random(using: &random)
    return equiconv_transform_step(
      operation: Self.operations.randomElement(using: &random)!, first: slots[0], second: slots[1],
      sum: isInPlace ? slots[0] : slots[2], difference: isInPlace ? slots[1] : slots[3],
      coefficient: Double.random(in: -0.5...0.5, using: &random))
  }

  private func check<S: EngineScalar>(
    _: S.Type, _ set: InstructionSet, _ steps: [equiconv_transform_step], _ vectors: Int
  ) {
    let problem = TransformProblem<S>(set, vectors: vectors)
    #expect(
      firstDifferenceInBits(problem.run(steps), problem.expected(steps)) == nil,
      "\(S.self) \(steps.map(\.operation.rawValue)) vectors \(vectors)")
  }
}

/// Slots of vectors at scattered, unaligned places, with guards between them.
private struct TransformProblem<S: EngineScalar> {
  static var slotCount: Int { 9 }
  let set: InstructionSet
  let kernels: Microkernels
  let vectors: Int
  let memory: [S]
  let bases: [Int]
  let offsets: [[Int]]

  init(_ set: InstructionSet, vectors: Int) {
    var random = SplitMix64(seed: UInt64(vectors + 1))
    self.set = set
    kernels = S.microkernels(set)
    self.vectors = vectors
    let lanes = kernels.lanes
    let room = (lanes + 1) * vectors + 1
    var memory = Guarded<S>(Self.slotCount * room).values
    bases = (0..<Self.slotCount).map { $0 * room + 1 }
    offsets = (0..<Self.slotCount).map { _ in
      (0..<vectors).map { $0 * (lanes + 1) }.shuffled(using: &random)
    }
    for slot in 0..<Self.slotCount {
      for offset in offsets[slot] {
        let start = bases[slot] + offset
        memory.replaceSubrange(start..<start + lanes, with: random.reals(lanes) as [S])
      }
    }
    // A zero keeps its sign where it is copied, and changes it where it is negated.
    if vectors > 0 {
      memory[bases[0] + offsets[0][0]] = 0
      memory[bases[1] + offsets[1][0]] = -0.0
    }
    self.memory = memory
  }

  func run(_ steps: [equiconv_transform_step]) -> [S] {
    let arena = Arena()
    let memory = arena.copy(memory)
    let slots = (0..<Self.slotCount).map { slot in
      equiconv_transform_slot(
        base: UnsafeMutableRawPointer(memory + bases[slot]), offsets: UnsafePointer(arena.copy(offsets[slot])))
    }
    let call = arena.zeroed(equiconv_transform_call.self)
    call.pointee.steps = UnsafePointer(arena.copy(steps))
    call.pointee.step_count = steps.count
    call.pointee.slots = UnsafePointer(arena.copy(slots))
    call.pointee.vector_count = vectors
    kernels.transform(call)
    return withExtendedLifetime(arena) { memory.array(self.memory.count) }
  }

  func expected(_ steps: [equiconv_transform_step]) -> [S] {
    var memory = memory
    for step in steps {
      for n in 0..<vectors {
        for lane in 0..<kernels.lanes { run(step, n, lane, &memory) }
      }
    }
    return memory
  }

  private func run(_ step: equiconv_transform_step, _ n: Int, _ lane: Int, _ memory: inout [S]) {
    func place(_ slot: Int32) -> Int { bases[Int(slot)] + offsets[Int(slot)][n] + lane }
    let (a, b) = (memory[place(step.first)], memory[place(step.second)])
    let coefficient = S(step.coefficient)
    switch step.operation {
    case EQUICONV_STEP_BUTTERFLY:
      memory[place(step.sum)] = a + b
      memory[place(step.difference)] = a - b
    case EQUICONV_STEP_ADD: memory[place(step.sum)] = a + b
    case EQUICONV_STEP_SUBTRACT: memory[place(step.sum)] = a - b
    case EQUICONV_STEP_COPY: memory[place(step.sum)] = a
    case EQUICONV_STEP_NEGATE: memory[place(step.sum)] = -a
    case EQUICONV_STEP_SCALE: memory[place(step.sum)] = coefficient * a
    case EQUICONV_STEP_MULTIPLY_ADD: memory[place(step.sum)] = set.multiplyAdd(coefficient, b, a)
    default: fatalError("operation \(step.operation)")
    }
  }
}
