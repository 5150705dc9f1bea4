// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
  /// Below so many operations a call stays on its own thread: handing out work costs as much.
  private static let smallestSharedWork = 4e6

  func threads(for batch: Int) -> Int {
    flops(batch: batch) < Self.smallestSharedWork ? 1 : Threads.count
  }

  /// A pass with the current settings of the process, except for those that the call sets.
  func task<S: EngineScalar>(
    _ pass: Pass, batch: Int, _: S.Type, _ asked: RunOptions, isPrepared: Bool = false
  ) -> PassTask<S> {
    let options = PassOptions(
      instructions: asked.instructions, threads: asked.threads ?? threads(for: batch),
      workspaceLimit: asked.workspaceLimit ?? WorkspaceLimit.bytesPerThread)
    return PassTask(plan: self, pass: pass, batch: batch, options: options, isPrepared: isPrepared)
  }

  /// A forward pass or an input gradient of checked arrays, by the method given or chosen.
  func runSignalPass<S: EngineScalar>(
    _ task: PassTask<S>, _ method: Method?, _ arrays: SignalArrays<S>
  ) throws(ConvolutionError) {
    if task.batch == 0 { return }
    guard let border else { return try runPaddedSignalPass(task, method, arrays) }
    try runSignalPass(task, arrays, with: border) { arrays throws(ConvolutionError) in
      try runPaddedSignalPass(task, method, arrays)
    }
  }

  /// The same between padded planes where the signal has a border.
  func runPaddedSignalPass<S: EngineScalar>(
    _ task: PassTask<S>, _ method: Method?, _ arrays: SignalArrays<S>
  ) throws(ConvolutionError) {
    let method = if let method { method } else { try self.method(task) }
    var run = SignalPassRun(task: task, tile: method.tile, arrays: arrays)
    try Algorithms.visit(method.algorithm, &run)
  }

  private struct SignalPassRun<Scalar: EngineScalar>: AlgorithmVisitor {
    let task: PassTask<Scalar>
    let tile: Tile
    let arrays: SignalArrays<Scalar>

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      let algorithm = A(task: task)
      let pass = try algorithm.signalPass(tile: tile)
      let arrays = arrays
      try algorithm.withWeights(arrays.weight, tile: tile) { weights throws(ConvolutionError) in
        try pass.run(
          .init(
            source: arrays.source, weights: weights, bias: arrays.bias, destination: arrays.destination,
            pointwise: arrays.pointwise))
      }
    }
  }

  /// A weight gradient of checked arrays, by the method given or chosen.
  func runWeightGradient<S: EngineScalar>(
    _ task: PassTask<S>, _ method: Method?, _ arrays: WeightGradientArrays<S>
  ) throws(ConvolutionError) {
    let method = if let method { method } else { try self.method(task) }
    var run = WeightGradientRun(task: task, tile: method.tile, arrays: arrays)
    try Algorithms.visit(method.algorithm, &run)
  }

  private struct WeightGradientRun<Scalar: EngineScalar>: AlgorithmVisitor {
    let task: PassTask<Scalar>
    let tile: Tile
    let arrays: WeightGradientArrays<Scalar>

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      try A(task: task).weightGradient(tile: tile).run(arrays)
    }
  }

  /// Calls `body` with the weights ŵ of the stencil: the user's own, or those that the sampling operator makes from
  /// them.
  func withCore<S: EngineScalar, R>(
    _ weight: UnsafePointer<S>, _ body: (UnsafePointer<S>) throws(ConvolutionError) -> R
  ) throws(ConvolutionError) -> R {
    guard let sampling = stencil.sampling else { return try body(weight) }
    let pairs = descriptor.outChannels * moduleInputs
    var layout = Workspace.Layout()
    let core = try layout.reserve(S.self, pairs, stencil.coefficients)
    let scratch = try sampling.reserve(&layout, channelPairs: pairs)
    let workspace = try Workspace(layout)
    sampling.apply(weight, into: workspace[core], channelPairs: pairs, scratch, workspace)
    return try body(workspace[core])
  }
}
