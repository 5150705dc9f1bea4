// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

/// A program with its numbers, and the plans of recent sizes.
final class NetworkRunner<S: EngineScalar>: Sendable {
  let program: NetworkProgram
  let mode: Network.Mode
  let numbers: [StepNumbers<S>]
  private let plans = RecentPlans()
  private let memory = KeptMemory()

  /// - Parameter numbers: of each step of the program.
  init(_ program: NetworkProgram, _ numbers: [StepNumbers<S>], mode: Network.Mode) {
    self.program = program
    self.numbers = numbers
    self.mode = mode
  }

  // MARK: - Plans

  /// The plan for inputs of these extents: known, or made now.
  func plan(_ extents: [Int]) throws(NetworkError) -> NetworkPlan {
    if let known = plans.find(extents) { return known }
    let shapes = numbers.map { numbers -> [Int]? in
      if case .layer(_, let shape, _) = numbers { shape } else { nil }
    }
    let plan = try NetworkPlan(program, input: extents, weightShapes: shapes, mode: mode)
    do throws(ConvolutionError) {
      // A plan that was made in a call that ended early is not complete.
      if Call.isEnded { throw Call.cancelled }
    } catch { throw .layer(error, place: "network") }
    if plans.keep(plan) { dropTransforms() }
    return plan
  }

  /// Drops the transforms for sizes that are not among the recent ones.
  private func dropTransforms() {
    let recent = plans.all
    for (index, numbers) in numbers.enumerated() {
      guard case .layer(let weight, _, _) = numbers else { continue }
      weight.keepTransforms(of: Set(recent.compactMap { $0.layers[index]?.descriptor }))
    }
  }

  // MARK: - Runs

  /// Makes the plan, the layout and the transforms for a batch of these extents.
  func reserve(batch: Int, extents: [Int]) throws(NetworkError) {
    let plan = try plan(extents)
    let work = try NetworkRun<S>.work(plan, batch: batch)
    for portion in plan.portions(work.shares, work.leftOver) {
      guard let layer = plan.layers[portion.step], case .layer(let weight, _, _) = numbers[portion.step] else {
        continue
      }
      let step = program.steps[portion.step]
      do throws(ConvolutionError) {
        try layer.prepare(step.pass, batch: portion.images, weight: weight, threads: portion.threads)
      } catch {
        throw .layer(error, place: program.place(step))
      }
    }
  }

  /// - Parameter times: for each step, where its time on all threads is written.
  /// - Returns: the threads that took shares.
  @discardableResult func run(
    batch: Int, extents: [Int], input: UnsafePointer<S>, outputs: [UnsafeMutablePointer<S>],
    times: UnsafeMutablePointer<Double>? = nil
  ) throws(NetworkError) -> Int {
    let plan = try plan(extents)
    if batch == 0 { return 1 }
    let work = try NetworkRun<S>.work(plan, batch: batch)
    let block = try memory.take(work.bytes)
    defer { memory.giveBack(block) }
    var run = NetworkRun(plan: plan, numbers: numbers, input: input, outputs: outputs)
    guard let times else {
      try run.run(work, in: block.base.assumingMemoryBound(to: S.self))
      return work.division.threads
    }
    let steps = program.steps.count
    let each = try NetworkTable<Double>(repeating: 0, count: steps * work.division.threads)
    run.times = each.elements.baseAddress
    try run.run(work, in: block.base.assumingMemoryBound(to: S.self))
    for step in 0..<steps {
      times[step] = (0..<work.division.threads).reduce(0) { $0 + each[$1 * steps + step] }
    }
    return work.division.threads
  }
}

extension NetworkStep {
  /// Of the layer of a step that is one.
  var pass: Pass { if case .transposed = work { .inputGradient } else { .forward } }
}

extension NetworkPlan {
  /// The calls of a step that a run makes.
  struct StepPortion: Hashable {
    let step: Int
    let images: Int
    let threads: Int?
  }

  /// Those of all steps for shares and for what is left over, each size once.
  func portions(_ shares: RunLayout?, _ leftOver: RunLayout?) -> [StepPortion] {
    var portions: [StepPortion] = []
    for (layout, threads) in [(shares, 1), (leftOver, nil)] as [(RunLayout?, Int?)] {
      guard let schedule = layout?.schedule else { continue }
      for segment in schedule.segments {
        let rest = schedule.images % segment.images
        for images in [segment.images, rest] where images > 0 {
          portions += segment.steps.map { StepPortion(step: $0, images: images, threads: threads) }
        }
      }
    }
    return portions
  }
}

/// The plans of recent sizes, most recent first.
private final class RecentPlans: Sendable {
  private static let capacity = 8
  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var plans: [NetworkPlan] = []

  var all: [NetworkPlan] { ProcessLock.withLock { plans } }

  func find(_ extents: [Int]) -> NetworkPlan? {
    ProcessLock.withLock {
      guard let index = plans.firstIndex(where: { $0.input == extents }) else { return nil }
      let plan = plans[index]
      if index > 0 {
        plans.remove(at: index)
        plans.insert(plan, at: 0)
      }
      return plan
    }
  }

  /// - Returns: whether another made room for it.
  func keep(_ plan: NetworkPlan) -> Bool {
    // What is dropped is released after the lock.
    let dropped = ProcessLock.withLock { () -> NetworkPlan? in
      if plans.contains(where: { $0.input == plan.input }) { return nil }
      plans.insert(plan, at: 0)
      return plans.count > Self.capacity ? plans.removeLast() : nil
    }
    return dropped != nil
  }
}

/// The block of the latest run, for the next one: fresh pages cost as much as a tenth of the work.
private final class KeptMemory: Sendable {
  private static let mostBytes = 256 << 20
  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var kept: MemoryBlock?

  deinit { kept?.release() }

  /// A block of at least so many bytes.
  func take(_ bytes: Int) throws(NetworkError) -> MemoryBlock {
    let known = ProcessLock.withLock { () -> MemoryBlock? in
      defer { kept = nil }
      return kept
    }
    if let known, known.bytes >= bytes { return known }
    known?.release()
    do throws(ConvolutionError) { return try MemoryBlock.allocate(max(bytes, 64)) } catch {
      throw .layer(error, place: "network")
    }
  }

  func giveBack(_ block: MemoryBlock) {
    let surplus = ProcessLock.withLock { () -> MemoryBlock? in
      guard block.bytes <= Self.mostBytes, block.bytes > kept?.bytes ?? 0 else { return block }
      defer { kept = block }
      return kept
    }
    surplus?.release()
  }
}
