// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
  /// Which algorithm a pass takes with so many images, and what it costs.
  ///
  /// - Parameter isPrepared: Whether the call is given a `PreparedWeight`, whose transform costs it nothing.
  /// - Throws: `invalidSize` for a negative batch, `unsupportedAlgorithm` where the descriptor's algorithm cannot do the pass.
  public func explain<S: EngineScalar>(
    _ pass: Pass, batch: Int, isPrepared: Bool = false, _: S.Type
  ) throws(ConvolutionError) -> Explanation {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try Self.checkBatch(batch)
      let options = passOptions(RunOptions(), batch: batch)
      let model = try CostModel(self, pass, batch: max(batch, 1), S.self, options, isPrepared: isPrepared)
      let choice = try choice(model)
      let images = batch == 0 ? 0.0 : 1.0
      let unit = try Calibration.secondsPerVector(S.self, options.instructions)
      return Explanation(
        algorithm: choice.method.algorithm, tile: choice.method.tile, operations: images * choice.cost.operations,
        definitionOperations: flops(batch: batch),
        workspaceBytes: batch == 0 ? 0 : try workspaceBytes(pass, choice.method, batch: batch, S.self, options),
        weightBytes: choice.cost.weightBytes, threads: options.threads,
        seconds: images * choice.cost.time * unit, reason: choice.reason)
    }
  }

  /// What the pass would reserve; more than there can be where it would refuse.
  ///
  /// - Throws: `outOfMemory` for the tables that tell.
  private func workspaceBytes<S: EngineScalar>(
    _ pass: Pass, _ method: Method, batch: Int, _: S.Type, _ options: PassOptions
  ) throws(ConvolutionError) -> Int {
    do throws(ConvolutionError) {
      switch (method, pass) {
      case (.direct, .weightGradient): return try directWeightGradient(batch: batch, S.self, options).workspaceBytes
      case (.direct, _): return try direct(pass, batch: batch, S.self, options).workspaceBytes
      case (.fourier(let length), .weightGradient):
        return try fourierWeightGradient(length: length, batch: batch, S.self, options).workspaceBytes
      case (.fourier(let length), _):
        return try fourier(pass, length: length, batch: batch, S.self, options).workspaceBytes
      case (.winograd(let outputs), _):
        return try winograd(pass, outputs: outputs, batch: batch, S.self, options).workspaceBytes
      }
    } catch {
      if error.argument == ConvolutionError.tables { throw error }
      return .max
    }
  }

  /// Multiply-adds of vectors for a pair of channels that the direct algorithm makes, by counting.
  package func directWork(_ pass: Pass, lanes: Int) throws(ConvolutionError) -> Int {
    let gather = try gatherPlan(pass)
    return gather.grids.indices.reduce(0) { sum, grid in
      let vectors = VectorCover(grid: gather.grids[grid], layout: gather.layout, lanes: lanes).vectorCount
      return sum + vectors * gather.reads.count(grid: grid)
    }
  }

  /// Whether the direct algorithm leaves out reads of nothing but zeros.
  package func leavesOutReads(_ pass: Pass) throws(ConvolutionError) -> Bool { try gatherPlan(pass).reads.isPartial }

  /// The method of a pass: the cheapest of those that the descriptor's algorithm allows.
  func method<S: EngineScalar>(
    _ pass: Pass, batch: Int, _: S.Type, _ options: PassOptions, isPrepared: Bool = false
  ) throws(ConvolutionError) -> Method {
    if descriptor.layer.algorithm == .direct { return .direct }
    if descriptor.layer.algorithm == .auto && isTooSmall(batch: batch) { return .direct }
    let key = ChoiceKey(
      pass: pass, batch: batch, scalarBytes: MemoryLayout<S>.stride, options: options, isPrepared: isPrepared)
    if let known = tilePlans.choice(key) { return known }
    let model = try CostModel(self, pass, batch: batch, S.self, options, isPrepared: isPrepared)
    let method = try choice(model).method
    tilePlans.keep(method, for: key)
    return method
  }

  /// Whether nothing but the direct algorithm is considered: beginning another would cost as much as the call.
  private func isTooSmall(batch: Int) -> Bool { flops(batch: batch) < 4e6 }

  private struct Choice {
    var method: Method
    var cost: MethodCost
    var reason: String
  }

  /// Whether sizes are beyond what any memory holds, and counts of operations and bytes may not fit in integers.
  private func isBeyondCounting(batch: Int) -> Bool {
    let weights = weightShape.reduce(Double(outputElements)) { $0 * Double($1) }
    return weights > 0x1p34 || flops(batch: batch) > 0x1p60
  }

  private func choice(_ model: CostModel) throws(ConvolutionError) -> Choice {
    if isBeyondCounting(batch: model.batch) {
      if descriptor.layer.algorithm == .auto || descriptor.layer.algorithm == .direct {
        return Choice(method: .direct, cost: model.direct(), reason: "the sizes are beyond what is counted for others")
      }
      throw ConvolutionError(
        .sizeOverflow, "batch", model.batch,
        expected: "with \(descriptor.layer.algorithm) at most 2^60 operations and 2^34 numbers of weights times |Y|")
    }
    switch descriptor.layer.algorithm {
    case .direct: return Choice(method: .direct, cost: model.direct(), reason: "asked for")
    case .winograd: return cheapest(of: try winograd(model), reason: "asked for, with tiles of the lowest estimate")
    case .fourier: return cheapest(of: try fourier(model), reason: "asked for, with tiles of the lowest estimate")
    case .auto: return try automatic(model)
    }
  }

  private func automatic(_ model: CostModel) throws(ConvolutionError) -> Choice {
    let direct = Choice(method: .direct, cost: model.direct(), reason: "the call is small")
    if isTooSmall(batch: model.batch) { return direct }
    var candidates = [direct]
    var refusals: [String] = []
    do throws(ConvolutionError) {
      candidates += try fourier(model)
    } catch {
      // A lack of memory is no property of the layer.
      if error.kind == .outOfMemory { throw error }
      refusals.append(error.value)
    }
    do throws(ConvolutionError) {
      candidates += try winograd(model).filter { isAccurate($0.method, model) }
    } catch {
      if error.kind == .outOfMemory { throw error }
      refusals.append(error.value)
    }
    let reason =
      candidates.count > 1
      ? "the lowest estimate of \(candidates.count) methods" : "others do not offer \(refusals.joined(separator: ", "))"
    return cheapest(of: candidates, reason: reason)
  }

  private func cheapest(of candidates: [Choice], reason: String) -> Choice {
    // Lists of candidates are not empty: their makers throw instead.
    var best = candidates[0]
    for candidate in candidates.dropFirst() where candidate.cost.time < best.cost.time { best = candidate }
    best.reason = reason
    return best
  }

  /// Winograd's errors grow with the number of products that are added up; see docs/Algorithms.md.
  private func isAccurate(_ method: Method, _ model: CostModel) -> Bool {
    let width = model.pass == .inputGradient ? moduleOutputs * outputElements : moduleInputs * inputElements
    return method != .winograd(outputs: 4) || width <= 1024
  }

  // MARK: - Candidates

  private func fourier(_ model: CostModel) throws(ConvolutionError) -> [Choice] {
    try PlaneCorrelation.checkCovered(descriptor)
    // Before anything of the kernel's size is made.
    let limit = FourierPlan.lengths.max() ?? 0
    if reach > limit { throw descriptor.tooFar(geometry.reach, atMost: limit) }
    let correlation = try tilePlans.correlation(model.pass, of: self)
    let candidates = FourierPlan.lengths.indices.compactMap { number -> Choice? in
      guard let cost = model.fourier(correlation, number: number) else { return nil }
      return Choice(method: .fourier(length: FourierPlan.lengths[number]), cost: cost, reason: "")
    }
    if candidates.isEmpty { throw descriptor.tooFar(correlation.reach, atMost: limit) }
    return candidates
  }

  private func winograd(_ model: CostModel) throws(ConvolutionError) -> [Choice] {
    if model.pass == .weightGradient {
      throw PlaneCorrelation.unsupported(
        .winograd, "a weight gradient", expected: "a forward pass or an input gradient")
    }
    if model.scalarBytes != MemoryLayout<Float>.stride {
      throw PlaneCorrelation.unsupported(.winograd, "float64", expected: "float32")
    }
    try PlaneCorrelation.checkCovered(descriptor)
    if reach > 3 { throw descriptor.tooFar(geometry.reach, atMost: 3) }
    let correlation = try tilePlans.correlation(model.pass, of: self)
    return [4, 2].map { outputs in
      Choice(
        method: .winograd(outputs: outputs), cost: model.winograd(correlation, outputs: outputs), reason: "")
    }
  }
}

/// What a choice depends on, beside the plan.
struct ChoiceKey: Hashable {
  var pass: Pass
  var batch: Int
  var scalarBytes: Int
  var options: PassOptions
  var isPrepared: Bool
}

extension ConvolutionDescriptor {
  /// The error for taps that reach too far for an algorithm's tiles.
  func tooFar(_ reach: Box, atMost limit: Int) -> ConvolutionError {
    PlaneCorrelation.unsupported(
      layer.algorithm, "a reach of \(reach.y) × \(reach.x)", expected: "a reach of at most \(limit) × \(limit)")
  }

  /// Whether taps of this reach fit the tiles of the algorithm asked for.
  func checkTiles(reach: Box) throws(ConvolutionError) {
    let limit = layer.algorithm == .winograd ? 3 : FourierPlan.lengths.max() ?? 0
    if max(reach.y, reach.x) > limit { throw tooFar(reach, atMost: limit) }
  }
}
