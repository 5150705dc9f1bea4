// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

/// One run of a network: the caller's arrays, taken through the steps share by share.
struct NetworkRun<S: EngineScalar> {
  let plan: NetworkPlan
  let numbers: [StepNumbers<S>]
  let input: UnsafePointer<S>
  let outputs: [UnsafeMutablePointer<S>]
  /// Where the time of steps is added up, if it is: [thread][step].
  var times: UnsafeMutablePointer<Double>?

  /// Below so many operations all images stay on the calling thread: handing out work costs as much.
  private static var smallestSharedWork: Double { 4e6 }

  /// Images to be run, and what they need.
  struct Work {
    let division: ShareDivision
    /// Of shares and of what is left over.
    let shares: RunLayout?
    let leftOver: RunLayout?
    /// Numbers of the block of each thread.
    let count: Int
    /// Bytes of the block of all threads.
    let bytes: Int
  }

  /// How a batch is divided, and the memory for it.
  static func work(_ plan: NetworkPlan, batch: Int) throws(NetworkError) -> Work {
    let isSmall = plan.operations * Double(batch) < smallestSharedWork
    let threads = isSmall ? 1 : Threads.count
    var failure: NetworkError?
    let division = ShareDivision(batch: batch, threads: threads) { each in
      do throws(NetworkError) { return try plan.layout(mostImages: each, isWhole: false, S.self).schedule.images } catch
      {
        failure = error
        return 1
      }
    }
    if let failure { throw failure }
    let shares = division.shares > 0 ? try plan.layout(mostImages: division.share, isWhole: false, S.self) : nil
    let leftOver = division.leftOver > 0 ? try plan.layout(mostImages: division.leftOver, isWhole: true, S.self) : nil
    let count = shares?.arena.count ?? 0
    let most = max(try product(count, division.threads), leftOver?.arena.count ?? 0)
    return Work(
      division: division, shares: shares, leftOver: leftOver, count: count,
      bytes: try product(most, MemoryLayout<S>.stride))
  }

  private static func product(_ a: Int, _ b: Int) throws(NetworkError) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    if overflow || product > Int.limit(60) { throw .outOfMemory(bytes: .max) }
    return product
  }

  /// Runs all images.
  ///
  /// - Parameter block: memory for `work.bytes`.
  /// - Throws: what layers throw; `cancelled`. The outputs are undefined then.
  func run(_ work: Work, in block: UnsafeMutablePointer<S>) throws(NetworkError) {
    let division = work.division
    if let layout = work.shares {
      try eachShare(division) { worker, number throws(NetworkError) in
        try run(division.images(number), layout, worker: worker, in: block + worker * work.count, threads: 1)
      }
    }
    if let layout = work.leftOver {
      let rest = division.owned..<division.owned + division.leftOver
      try run(rest, layout, worker: 0, in: block, threads: nil)
    }
  }

  /// Calls `body` for each share, on several threads at once.
  private func eachShare(
    _ division: ShareDivision, _ body: (_ worker: Int, _ share: Int) throws(NetworkError) -> Void
  ) throws(NetworkError) {
    let errors = try NetworkTable<NetworkError?>(repeating: nil, count: division.threads)
    let failures = errors.elements
    ThreadPool.run(division.shares, threads: division.threads) { worker, share in
      if failures[worker] != nil { return }
      do throws(NetworkError) { try body(worker, share) } catch { failures[worker] = error }
    }
    for case let error? in failures { throw error }
  }

  /// Takes images through all segments, a portion at a time.
  private func run(
    _ images: Range<Int>, _ layout: RunLayout, worker: Int, in block: UnsafeMutablePointer<S>, threads: Int?
  ) throws(NetworkError) {
    for segment in layout.schedule.segments {
      for first in stride(from: images.lowerBound, to: images.upperBound, by: segment.images) {
        let portion = Portion(
          images: first..<min(first + segment.images, images.upperBound), share: images.lowerBound,
          arena: layout.arena, block: block)
        for index in segment.steps {
          if Call.isEnded { return }
          try run(index, portion, worker: worker, threads: threads)
        }
      }
    }
  }

  /// Images that pass through steps together, and where their values lie.
  private struct Portion {
    let images: Range<Int>
    /// The first image of the share.
    let share: Int
    let arena: Arena
    let block: UnsafeMutablePointer<S>
  }

  private func run(_ index: Int, _ portion: Portion, worker: Int, threads: Int?) throws(NetworkError) {
    let step = plan.program.steps[index]
    let runner = StepRunner(
      plan: plan, numbers: numbers[index], index: index, images: portion.images.count, threads: threads)
    let before = times == nil ? 0 : Clock.seconds
    do throws(ConvolutionError) {
      try runner.run(step, step.inputs.map { source($0, portion) }, to: target(step.output, portion))
    } catch {
      throw .layer(error, place: plan.program.place(step))
    }
    if let times { times[worker * plan.program.steps.count + index] += Clock.seconds - before }
  }

  private func source(_ value: Int, _ portion: Portion) -> UnsafePointer<S> {
    guard let place = portion.arena.places[value] else { return input }
    return place.store == .input
      ? input + place.start + portion.images.lowerBound * place.stride : UnsafePointer(target(value, portion))
  }

  private func target(_ value: Int, _ portion: Portion) -> UnsafeMutablePointer<S> {
    guard let place = portion.arena.places[value] else { return portion.block }
    switch place.store {
    case .output(let number): return outputs[number] + place.start + portion.images.lowerBound * place.stride
    case .input, .block:
      let image = place.isWide ? portion.images.lowerBound - portion.share : 0
      return portion.block + place.start + image * place.stride
    }
  }
}
