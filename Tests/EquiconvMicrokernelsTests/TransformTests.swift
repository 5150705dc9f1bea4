// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

@Suite struct TransformTests {
  private static let small: [equiconv_transform_operation] = [
    EQUICONV_STEP_BUTTERFLY, EQUICONV_STEP_ADD, EQUICONV_STEP_SUBTRACT, EQUICONV_STEP_COPY, EQUICONV_STEP_NEGATE,
    EQUICONV_STEP_SCALE, EQUICONV_STEP_MULTIPLY_ADD, EQUICONV_STEP_ACCUMULATE,
    EQUICONV_STEP_ACCUMULATE_2,
  ]
  private static let large: [equiconv_transform_operation] = [
    EQUICONV_STEP_HADAMARD_4, EQUICONV_STEP_CYCLIC_4, EQUICONV_STEP_CYCLIC_4_ADJOINT, EQUICONV_STEP_HADAMARD_8,
    EQUICONV_STEP_DIHEDRAL_8,
  ]

  /// Every operation, over every count of vectors that are taken at a time and what is left of them.
  @Test(arguments: InstructionSet.available, small + large)
  func transform_ofOneStep_isItsFormula_toTheLastBit(_ set: InstructionSet, _ operation: equiconv_transform_operation) {
    let isSmall = Self.small.contains(operation)
    let step = equiconv_transform_step(
      operation: operation, first: 0, second: 1, sum: 8, difference: 9, coefficient: 0.8660254037844386)
    for vectors in 0...9 {
      for operands in SlotPlaces.allCases where isSmall || operands != .own {
        for results in SlotPlaces.allCases where isSmall || results != .own {
          check(Float.self, set, [step], vectors, operands, results)
          check(Double.self, set, [step], vectors, operands, results)
        }
      }
    }
  }

  /// A slot may be result and operand of one step, and results of a step are operands of later ones.
  @Test(arguments: InstructionSet.available)
  func transform_ofManySteps_runsThemInOrder_toTheLastBit(_ set: InstructionSet) {
    for seed in 1...20 {
      var random = SplitMix64(seed: UInt64(seed))
      let steps = (0..<30).map { _ in randomStep(&random) }
      check(Float.self, set, steps, seed % 13, .shared, .consecutive)
      check(Double.self, set, steps, seed % 13, .shared, .consecutive)
    }
  }

  /// Vectors that overlap in the sums are added one after the other, so that a place gets all that falls on it.
  @Test(arguments: InstructionSet.available)
  func accumulate_ontoVectorsThatOverlap_addsThemInOrder_toTheLastBit(_ set: InstructionSet) {
    for operation in [EQUICONV_STEP_ACCUMULATE, EQUICONV_STEP_ACCUMULATE_2] {
      checkOverlap(Float.self, set, operation)
      checkOverlap(Double.self, set, operation)
    }
  }

  /// Two results that overlap each other too.
  private func checkOverlap<S: EngineScalar>(
    _: S.Type, _ set: InstructionSet, _ operation: equiconv_transform_operation
  ) {
    let kernels = S.microkernels(set)
    let (lanes, vectors) = (kernels.lanes, 11)
    var random = SplitMix64(seed: 77)
    let offsets = (0..<vectors).map { $0 * $0 % 7 }
    let operands: [[S]] = (0..<2).map { _ in random.reals(vectors * lanes) }
    let begin: [S] = random.reals(lanes + 8)
    var expected = begin
    for (n, offset) in offsets.enumerated() {
      let (a, b) = (operands[0][n * lanes..<(n + 1) * lanes], operands[1][n * lanes..<(n + 1) * lanes])
      let results = operation == EQUICONV_STEP_ACCUMULATE ? [Array(a)] : [zip(a, b).map(+), zip(a, b).map(-)]
      for (place, result) in results.enumerated() {
        for lane in 0..<lanes { expected[place + offset + lane] += result[lane] }
      }
    }
    let arena = Arena()
    let sums = arena.copy(begin)
    let places = UnsafePointer(arena.copy(offsets))
    let step = equiconv_transform_step(
      operation: operation, first: 0, second: 1, sum: 2, difference: 3, coefficient: 1)
    let slots = [
      equiconv_transform_slot(base: UnsafeMutableRawPointer(arena.copy(operands[0])), offsets: nil),
      equiconv_transform_slot(base: UnsafeMutableRawPointer(arena.copy(operands[1])), offsets: nil),
      equiconv_transform_slot(base: UnsafeMutableRawPointer(sums), offsets: places),
      equiconv_transform_slot(base: UnsafeMutableRawPointer(sums + 1), offsets: places),
    ]
    let call = arena.zeroed(equiconv_transform_call.self)
    call.pointee.steps = UnsafePointer(arena.copy([step]))
    call.pointee.step_count = 1
    call.pointee.slots = UnsafePointer(arena.copy(slots))
    call.pointee.vector_count = vectors
    kernels.transform(call)
    let result = withExtendedLifetime(arena) { sums.array(begin.count) }
    #expect(firstDifferenceInBits(result, expected) == nil, "\(S.self) \(operation.rawValue)")
  }

  private func randomStep(_ random: inout SplitMix64) -> equiconv_transform_step {
    if Int.random(in: 0..<5, using: &random) == 0 {
      let halves: [Int32] = [0, 8]
      return equiconv_transform_step(
        operation: Self.large.randomElement(using: &random)!, first: halves.randomElement(using: &random)!, second: 0,
        sum: halves.randomElement(using: &random)!, difference: 0, coefficient: 0)
    }
    var slots = (0..<TransformProblem<Float>.slotCount).map(Int32.init)
    slots.shuffle(using: &random)
    let isInPlace = Bool.random(using: &random)
    return equiconv_transform_step(
      operation: Self.small.randomElement(using: &random)!, first: slots[0], second: slots[1],
      sum: isInPlace ? slots[0] : slots[2], difference: isInPlace ? slots[1] : slots[3],
      coefficient: Double.random(in: -0.5...0.5, using: &random))
  }

  private func check<S: EngineScalar>(
    _: S.Type, _ set: InstructionSet, _ steps: [equiconv_transform_step], _ vectors: Int, _ operands: SlotPlaces,
    _ results: SlotPlaces
  ) {
    let problem = TransformProblem<S>(set, vectors: vectors, operands, results)
    #expect(
      firstDifferenceInBits(problem.run(steps), problem.expected(steps)) == nil,
      "\(S.self) \(steps.map(\.operation.rawValue)) vectors \(vectors) \(operands) \(results)")
  }
}

/// Where the vectors of slots lie: one behind the other, at the same offsets, or each slot in its own way.
private enum SlotPlaces: CaseIterable { case consecutive, shared, own }

/// Slots of vectors, unaligned, with guards between them: the first half lies in one way, the second in another.
private struct TransformProblem<S: EngineScalar> {
  static var slotCount: Int { 16 }
  let set: InstructionSet
  let kernels: Microkernels
  let vectors: Int
  let memory: [S]
  let bases: [Int]
  let places: [SlotPlaces]
  /// Of each slot, whether it is given them or not.
  let offsets: [[Int]]

  init(_ set: InstructionSet, vectors: Int, _ operands: SlotPlaces, _ results: SlotPlaces) {
    var random = SplitMix64(seed: UInt64(vectors + 1))
    self.set = set
    kernels = S.microkernels(set)
    self.vectors = vectors
    let lanes = kernels.lanes
    let room = (lanes + 1) * vectors + 1
    var memory = Guarded<S>(Self.slotCount * room).values
    bases = (0..<Self.slotCount).map { $0 * room + 1 }
    places = (0..<Self.slotCount).map { $0 < Self.slotCount / 2 ? operands : results }
    let shared = (0..<vectors).map { $0 * (lanes + 1) }.shuffled(using: &random)
    offsets = places.map { places in
      switch places {
      case .consecutive: (0..<vectors).map { $0 * lanes }
      case .shared: shared
      case .own: shared.shuffled(using: &random)
      }
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
    // Slots that share a table are given the same one.
    let tables = [0, Self.slotCount / 2].map { UnsafePointer(arena.copy(offsets[$0])) }
    let slots = (0..<Self.slotCount).map { slot in
      let table =
        switch places[slot] {
        case .consecutive: nil as UnsafePointer<Int>?
        case .shared: tables[slot * 2 / Self.slotCount]
        case .own: UnsafePointer(arena.copy(offsets[slot]))
        }
      return equiconv_transform_slot(base: UnsafeMutableRawPointer(memory + bases[slot]), offsets: table)
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
    func many(_ count: Int32, _ map: ([S]) -> [S]) {
      let values = map((0..<count).map { memory[place(step.first + $0)] })
      for (number, value) in values.enumerated() { memory[place(step.sum + Int32(number))] = value }
    }
    let (a, b) = (memory[place(step.first)], memory[place(step.second)])
    let coefficient = S(step.coefficient)
    switch step.operation {
    case EQUICONV_STEP_BUTTERFLY:
      memory[place(step.sum)] = a + b
      memory[place(step.difference)] = a - b
    case EQUICONV_STEP_ADD: memory[place(step.sum)] = a + b
    case EQUICONV_STEP_ACCUMULATE: memory[place(step.sum)] += a
    case EQUICONV_STEP_ACCUMULATE_2:
      memory[place(step.sum)] += a + b
      memory[place(step.difference)] += a - b
    case EQUICONV_STEP_SUBTRACT: memory[place(step.sum)] = a - b
    case EQUICONV_STEP_COPY: memory[place(step.sum)] = a
    case EQUICONV_STEP_NEGATE: memory[place(step.sum)] = -a
    case EQUICONV_STEP_SCALE: memory[place(step.sum)] = coefficient * a
    case EQUICONV_STEP_MULTIPLY_ADD: memory[place(step.sum)] = set.multiplyAdd(coefficient, b, a)
    case EQUICONV_STEP_HADAMARD_4: many(4, hadamard)
    case EQUICONV_STEP_CYCLIC_4: many(4) { x in hadamard([x[0] + x[1], x[2] + x[3]]) + [x[0] - x[1], x[2] - x[3]] }
    case EQUICONV_STEP_CYCLIC_4_ADJOINT:
      many(4) { x in hadamard([x[0] + x[1], x[2]]) + hadamard([x[0] - x[1], x[3]]) }
    case EQUICONV_STEP_HADAMARD_8: many(8, hadamard)
    case EQUICONV_STEP_DIHEDRAL_8:
      many(8) { x in
        let (sums, d) = neighbors(x)
        return hadamard(sums) + [d[0] + d[1], d[0] - d[1], d[2] + d[3], d[2] - d[3]]
      }
    default: fatalError("operation \(step.operation)")
    }
  }

  private func neighbors(_ x: [S]) -> (sums: [S], differences: [S]) {
    let pairs = stride(from: 0, to: x.count, by: 2)
    return (pairs.map { x[$0] + x[$0 + 1] }, pairs.map { x[$0] - x[$0 + 1] })
  }

  private func hadamard(_ x: [S]) -> [S] {
    if x.count == 1 { return x }
    let (sums, differences) = neighbors(x)
    return hadamard(sums) + hadamard(differences)
  }
}
