// SPDX-License-Identifier: Apache-2.0

/// The method of a task: the cheapest of those that the layer's algorithm allows.
struct MethodChoice {
  let method: Method
  let cost: MethodCost
  /// Why this method, in a sentence.
  let reason: String

  /// - Throws: `unsupportedAlgorithm` where the algorithm asked for does not cover the task; `sizeOverflow`; `outOfMemory`.
  init<S: EngineScalar>(_ task: PassTask<S>) throws(ConvolutionError) {
    let (plan, batch) = (task.plan, task.batch)
    let asked = plan.descriptor.layer.algorithm
    if plan.isBeyondCounting(batch: batch) {
      guard asked == .auto || asked == Algorithms.general.algorithm else {
        throw ConvolutionError(
          .sizeOverflow, .batch, batch,
          expected: "with \(asked) at most 2^60 operations and 2^34 numbers of weights times |Y|")
      }
      let candidates = try CandidateSearch(task, of: Algorithms.general.algorithm).candidates
      self.init(cheapestOf: candidates, reason: "the sizes are beyond what is counted for others")
    } else if asked != .auto {
      let candidates = try CandidateSearch(task, of: asked).candidates
      let hasTiles = candidates[0].method.tile > 0
      self.init(
        cheapestOf: candidates, reason: hasTiles ? "asked for, with tiles of the lowest estimate" : "asked for")
    } else if plan.isTooSmall(batch: batch) {
      let candidates = try CandidateSearch(task, of: Algorithms.general.algorithm).candidates
      self.init(cheapestOf: candidates, reason: "the call is small")
    } else {
      let search = try CandidateSearch(task)
      let candidates = search.candidates.filter { $0.isAccurate }
      let reason =
        candidates.count > 1
        ? "the lowest estimate of \(candidates.count) methods"
        : "others do not offer \(search.refusals.joined(separator: ", "))"
      self.init(cheapestOf: candidates, reason: reason)
    }
  }

  private init(cheapestOf candidates: [Candidate], reason: String) {
    // An algorithm that covers a task has at least one candidate.
    var best = candidates[0]
    for candidate in candidates.dropFirst() where candidate.cost.time < best.cost.time { best = candidate }
    method = best.method
    cost = best.cost
    self.reason = reason
  }

  private struct Candidate {
    let method: Method
    let cost: MethodCost
    let isAccurate: Bool
  }

  /// The methods of one algorithm or of all, and why some have none.
  private struct CandidateSearch<Scalar: EngineScalar>: AlgorithmVisitor {
    private let task: PassTask<Scalar>
    private let isSkippingRefusals: Bool
    private(set) var candidates: [Candidate] = []
    private(set) var refusals: [String] = []

    /// - Throws: `unsupportedAlgorithm` where the algorithm does not cover the task.
    init(_ task: PassTask<Scalar>, of name: Algorithm) throws(ConvolutionError) {
      self.task = task
      isSkippingRefusals = false
      try Algorithms.visit(name, &self)
    }

    /// Searches all that cover the task.
    init(_ task: PassTask<Scalar>) throws(ConvolutionError) {
      self.task = task
      isSkippingRefusals = true
      try Algorithms.visitAll(&self)
    }

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      let algorithm = A(task: task)
      do throws(ConvolutionError) {
        try algorithm.check()
      } catch {
        // Any other error, such as a lack of memory, says nothing about the layer.
        if !isSkippingRefusals || error.kind != .unsupportedAlgorithm { throw error }
        refusals.append(error.value)
        return
      }
      for tile in algorithm.tiles {
        candidates.append(
          Candidate(
            method: Method(A.name, tile: tile), cost: try algorithm.cost(tile: tile),
            isAccurate: algorithm.isAccurate(tile: tile)))
      }
    }
  }
}
