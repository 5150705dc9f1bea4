// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// The method of a task: the one that the layer's algorithm names, or that its rule chooses.
struct MethodChoice {
  let method: Method
  let cost: MethodCost
  let isExact: Bool
  /// Why this method, in a sentence.
  let reason: String

  /// Images of the canonical task: enough that weights are not transformed for one image alone.
  static let nominalBatch = 8
  /// What `auto` may pay for a method that is exact, relative to the lowest estimate.
  static let priceOfExactness = 1.1

  /// - Throws: `unsupportedAlgorithm` where the algorithm asked for does not cover the task; `sizeOverflow`; `outOfMemory`.
  init<S: EngineScalar>(_ task: PassTask<S>) throws(ConvolutionError) {
    let (plan, batch) = (task.plan, task.batch)
    let asked = plan.descriptor.layer.algorithm
    if plan.isBeyondCounting(batch: batch) {
      guard asked.isRule || asked == Algorithms.general.algorithm else {
        throw ConvolutionError(
          .sizeOverflow, .batch, batch,
          expected: "with \(asked) at most 2^60 operations and 2^34 numbers of weights times |Y|")
      }
      let candidate = try Self.general(task)
      if asked == .exact && task.pass != .weightGradient && !candidate.isExact { throw Self.noExactMethod(task) }
      self.init(candidate, reason: "the sizes are beyond what is counted for others")
    } else if !asked.isRule {
      // Turned tiles are for bits, which the rules ask for.
      let candidates = try CandidateSearch(task, of: asked).candidates.filter { !$0.method.tile.isTurned }
      let hasTiles = candidates[0].method.tile.size > 0
      self.init(
        Self.cheapest(candidates), reason: hasTiles ? "asked for, with tiles of the lowest estimate" : "asked for")
    } else if asked == .exact && task.pass != .weightGradient {
      guard let exact = try ExactChoice(task) else { throw Self.noExactMethod(task) }
      let candidate = try Self.candidate(exact.method, for: task)
      self.init(candidate, reason: "the lowest estimate of the methods that are exact")
    } else if plan.isTooSmall(batch: batch) {
      self.init(try Self.general(task), reason: "the call is small")
    } else {
      try self.init(fastestOf: task)
    }
  }

  private init(_ candidate: Candidate, reason: String) {
    method = candidate.method
    cost = candidate.cost
    isExact = candidate.isExact
    self.reason = reason
  }

  // MARK: - auto

  /// The lowest estimate, or the method of `exact` where it takes little longer.
  private init<S: EngineScalar>(fastestOf task: PassTask<S>) throws(ConvolutionError) {
    let search = try CandidateSearch(task)
    let candidates = search.candidates.filter { $0.isAccurate }
    let among = "the lowest estimate of \(candidates.count) methods"
    let exact = task.plan.hasTurns ? try ExactChoice(task) : nil
    if candidates.count == 1 {
      self.init(candidates[0], reason: "others do not offer \(search.refusals.joined(separator: ", "))")
    } else if let exact, exact.isWorthIt, let candidate = candidates.first(where: { $0.method == exact.method }) {
      self.init(candidate, reason: "exact, and at most 10 % over \(among)")
    } else if let exact {
      // Those that are exact would be so for some turned signals and numbers of threads only.
      let others = candidates.filter { !$0.isExact && $0.method != exact.method }
      self.init(Self.cheapest(others), reason: "\(among); exact ones take more than 10 % longer")
    } else {
      self.init(Self.cheapest(candidates), reason: among)
    }
  }

  // MARK: - exact

  /// The fastest of the methods that are exact, and whether it takes little longer than all others: decided by quantities
  /// that neither turning, threads nor the batch change.
  private struct ExactChoice {
    let method: Method
    let isWorthIt: Bool

    /// - Returns: nil where no method is exact, as for weight gradients.
    init?<S: EngineScalar>(_ task: PassTask<S>) throws(ConvolutionError) {
      if task.pass == .weightGradient { return nil }
      let canonical = try task.canonical(batch: MethodChoice.nominalBatch, isPrepared: false)
      let general = try MethodChoice.general(canonical)
      let isSmall = canonical.plan.isTooSmall(batch: canonical.batch)
      let candidates = try CandidateSearch(canonical).candidates.filter { $0.isAccurate }
      let exact = isSmall && general.isExact ? [general] : candidates.filter { $0.isExact }
      if exact.isEmpty { return nil }
      let best = MethodChoice.cheapest(exact)
      let others = candidates.lazy.filter { !$0.isExact }.map { $0.cost.time }
      method = best.method
      isWorthIt = best.cost.time <= MethodChoice.priceOfExactness * (others.min() ?? .infinity)
    }
  }

  private static func noExactMethod<S: EngineScalar>(_ task: PassTask<S>) -> ConvolutionError {
    let layer = task.plan.descriptor.layer
    return .unsupported(
      .exact, "an input gradient of a layer from \(task.plan.inputElements) points padded by \(layer.paddingMode)",
      expected: "a pass that some algorithm computes exactly, or auto")
  }

  // MARK: - Candidates

  private static func general<S: EngineScalar>(_ task: PassTask<S>) throws(ConvolutionError) -> Candidate {
    cheapest(try CandidateSearch(task, of: Algorithms.general.algorithm).candidates)
  }

  private static func candidate<S: EngineScalar>(
    _ method: Method, for task: PassTask<S>
  ) throws(ConvolutionError) -> Candidate {
    let candidates = try CandidateSearch(task, of: method.algorithm).candidates
    // Turned signals have the same methods.
    return candidates.first { $0.method == method } ?? candidates[0]
  }

  /// - Precondition: there is one. An algorithm that covers a task has at least one candidate.
  private static func cheapest(_ candidates: [Candidate]) -> Candidate {
    var best = candidates[0]
    for candidate in candidates.dropFirst() where candidate.cost.time < best.cost.time { best = candidate }
    return best
  }

  private struct Candidate {
    let method: Method
    let cost: MethodCost
    let isAccurate: Bool
    let isExact: Bool
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
      for tile in try algorithm.tiles {
        candidates.append(
          Candidate(
            method: Method(A.name, tile: tile), cost: try algorithm.cost(tile: tile),
            isAccurate: algorithm.isAccurate(tile: tile), isExact: try isExact(algorithm, tile)))
      }
    }

    /// Where no element but the identity maps the grid to itself, every signal pass is exact.
    private func isExact<A: ConvolutionAlgorithm>(
      _ algorithm: A, _ tile: Tile
    ) throws(ConvolutionError) -> Bool {
      if task.pass == .weightGradient { return false }
      return task.plan.hasTurns ? try algorithm.isExact(tile: tile) : true
    }
  }
}
