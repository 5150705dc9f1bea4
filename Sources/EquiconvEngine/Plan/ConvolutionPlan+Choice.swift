// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

extension ConvolutionPlan {
  /// Which algorithm a pass of so many images uses, and what it costs.
  ///
  /// - Parameter isPrepared: Whether the call is given a `PreparedWeight`, whose transform costs it nothing.
  /// - Throws: `invalidSize` for a negative batch, `unsupportedAlgorithm` where the descriptor's algorithm cannot do the pass.
  public func explain<S: EngineScalar>(
    _ pass: Pass, batch: Int, isPrepared: Bool = false, _: S.Type
  ) throws(ConvolutionError) -> Explanation {
    try explain(pass, batch: batch, isPrepared: isPrepared, S.self, RunOptions())
  }

  package func explain<S: EngineScalar>(
    _ pass: Pass, batch: Int, isPrepared: Bool = false, _: S.Type, _ options: RunOptions
  ) throws(ConvolutionError) -> Explanation {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try Self.checkBatch(batch)
      var task = task(pass, batch: batch, S.self, options, isPrepared: isPrepared)
      task.batch = max(batch, 1)
      let choice = try MethodChoice(task)
      let images = batch == 0 ? 0.0 : 1.0
      let unit = try Calibration.secondsPerVector(S.self, task.options.instructions)
      return Explanation(
        algorithm: choice.method.algorithm, tile: choice.method.tile.size, operations: images * choice.cost.operations,
        definitionOperations: flops(batch: batch),
        workspaceBytes: batch == 0 ? 0 : try workspaceBytes(task, choice.method),
        weightBytes: choice.cost.weightBytes, threads: task.options.threads,
        seconds: images * choice.cost.time * unit, isExact: choice.isExact, reason: choice.reason)
    }
  }

  /// What the pass would reserve; more than there can be where it would refuse.
  ///
  /// - Throws: `outOfMemory` where the tables that it is counted by do not fit.
  private func workspaceBytes<S: EngineScalar>(_ task: PassTask<S>, _ method: Method) throws(ConvolutionError) -> Int {
    var count = WorkspaceCount(task: task, tile: method.tile)
    do throws(ConvolutionError) {
      try Algorithms.visit(method.algorithm, &count)
    } catch {
      if error.argument == .plan { throw error }
      return .max
    }
    let (bytes, overflow) = count.bytes.addingReportingOverflow(borderBytes(task))
    return overflow ? .max : bytes
  }

  private struct WorkspaceCount<Scalar: EngineScalar>: AlgorithmVisitor {
    let task: PassTask<Scalar>
    let tile: Tile
    var bytes = 0

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      let algorithm = A(task: task)
      bytes =
        task.pass == .weightGradient
        ? try algorithm.weightGradient(tile: tile).layout.bytes : try algorithm.signalPass(tile: tile).layout.bytes
    }
  }

  /// The method of a task: chosen now, or for an equal task before.
  func method<S: EngineScalar>(_ task: PassTask<S>) throws(ConvolutionError) -> Method {
    let (asked, general) = (descriptor.layer.algorithm, Algorithms.general)
    if asked == general.algorithm || asked == .auto && isTooSmall(batch: task.batch) { return general }
    let key = ChoiceCache.Key(task)
    if let known = choices[key] { return known }
    let method = try MethodChoice(task).method
    choices.keep(method, for: key)
    return method
  }

  /// Whether nothing but the general method is considered: beginning another would cost as much as the call.
  func isTooSmall(batch: Int) -> Bool { flops(batch: batch) < 4e6 }

  /// Whether sizes are beyond what any memory holds, and counts of operations and bytes may not fit in integers.
  func isBeyondCounting(batch: Int) -> Bool {
    let weights = weightShape.reduce(Double(outputElements)) { $0 * Double($1) }
    return weights > 0x1p34 || flops(batch: batch) > 0x1p60
  }

  /// What no pass could do by the algorithm asked for is said when the plan is made.
  static func checkAlgorithm(_ layer: Layer, reach: Box) throws(ConvolutionError) {
    if layer.algorithm.isRule { return }
    var check = LayerCheck(layer: layer, reach: reach)
    try Algorithms.visit(layer.algorithm, &check)
  }

  private struct LayerCheck: AlgorithmVisitor {
    /// Any would do.
    typealias Scalar = Float
    let layer: Layer
    let reach: Box

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Float {
      try A.checkLayer(layer, reach: reach)
    }
  }
}
