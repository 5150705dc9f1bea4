// SPDX-License-Identifier: Apache-2.0

/// Which values of a program are the same memory, and at which offset of it each lies.
struct ValueGroups {
  /// The value that stands for the group of each.
  private(set) var roots: [Int]
  /// Numbers from the beginning of an image of the root.
  private(set) var offsets: [Int]
  /// The values of each root.
  private var members: [[Int]]
  private let counts: [Int]
  private let isOutput: [Bool]
  /// For each value, the step that last reads it, and whether one that reads it concatenates.
  private let lastReads: [Int]
  private let isPart: [Bool]
  /// For each value, the most images at a time of the steps that read or write it.
  private let images: [Int]

  init(_ program: NetworkProgram, counts: [Int], schedule: Schedule) {
    self.counts = counts
    roots = Array(counts.indices)
    offsets = [Int](repeating: 0, count: counts.count)
    members = counts.indices.map { [$0] }
    var (isOutput, isPart) = (counts.map { _ in false }, counts.map { _ in false })
    for value in program.outputs { isOutput[value] = true }
    var (lastReads, images) = (counts.map { _ in -1 }, counts.map { _ in 0 })
    for segment in schedule.segments {
      for index in segment.steps {
        let step = program.steps[index]
        for value in step.inputs { lastReads[value] = index }
        for value in step.inputs + [step.output] { images[value] = max(images[value], segment.images) }
        if case .concatenate = step.work { for value in step.inputs { isPart[value] = true } }
      }
    }
    (self.isOutput, self.isPart, self.lastReads, self.images) = (isOutput, isPart, lastReads, images)
    for step in program.steps { if case .view = step.work { join(step.inputs[0], to: step.output, at: 0) } }
    for (index, step) in program.steps.enumerated() where step.work.mayOverwrite {
      // A sum of several may be written over one of the first two, which are read together.
      let later = Set(step.inputs.dropFirst(2).map { roots[$0] })
      let free = step.inputs.prefix(2).first {
        isFree($0, after: index) && counts[$0] == counts[step.output] && !later.contains(roots[$0])
      }
      if let free { join(free, to: step.output, at: 0) }
    }
    for (index, step) in program.steps.enumerated() { joinParts(of: step, index) }
  }

  /// Whether a step may overwrite a value: it reads it last, and nobody else needs the memory.
  private func isFree(_ value: Int, after step: Int) -> Bool {
    value != 0
      && members[roots[value]].allSatisfy { !isOutput[$0] && !isPart[$0] && lastReads[$0] <= step }
  }

  /// Puts the parts of a concatenation where they are read, if images pass one at a time: those of several images do
  /// not lie beside each other there.
  private mutating func joinParts(of step: NetworkStep, _ index: Int) {
    guard case .concatenate = step.work else { return }
    var offset = 0
    for value in step.inputs {
      let root = roots[value]
      let fits = members[root].allSatisfy {
        $0 != 0 && !isOutput[$0] && lastReads[$0] <= index && images[$0] == 1
      }
      let isWhole = counts[root] == counts[value] && root != roots[step.output]
      let isOnce = step.inputs.filter { roots[$0] == root }.count == 1
      if fits && isWhole && isOnce { join(value, to: step.output, at: offset) }
      offset += counts[value]
    }
  }

  /// Makes a value's group part of another value's, at an offset of it.
  private mutating func join(_ value: Int, to other: Int, at offset: Int) {
    let (from, into) = (roots[value], roots[other])
    if from == into { return }
    let shift = offsets[other] + offset - offsets[value]
    for member in members[from] {
      roots[member] = into
      offsets[member] += shift
    }
    members[into] += members[from]
    members[from] = []
  }

  /// The steps from the first that writes a group to the last that reads it, by its root.
  func uses(_ program: NetworkProgram) -> [ClosedRange<Int>?] {
    var uses = [ClosedRange<Int>?](repeating: nil, count: counts.count)
    for (index, step) in program.steps.enumerated() {
      for value in step.inputs + [step.output] {
        let root = roots[value]
        uses[root] = (uses[root]?.lowerBound ?? index)...index
      }
    }
    return uses
  }
}

extension StepWork {
  /// Whether it may write its result over an input of the same size.
  var mayOverwrite: Bool {
    switch self {
    case .affine, .pointwise, .softmax, .add: true
    default: false
    }
  }
}
