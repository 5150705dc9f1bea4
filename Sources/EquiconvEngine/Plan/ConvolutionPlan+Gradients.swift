// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

extension ConvolutionPlan {
  /// The gradients of `<outputGradient, layer(input, weight) + bias>` whose array is not nil.
  ///
  /// All or nothing: everything is checked, and all memory is there, before the first number is written.
  ///
  /// - Parameters:
  ///   - outputGradient: `outputShape(batch:)`, C-contiguous.
  ///   - input: `inputShape(batch:)`; read for the gradient of the weight alone.
  ///   - weight: `weightShape`; read for the gradient of the input alone.
  ///   - inputGradient: `(adjoint of input ↦ layer(input, weight)) outputGradient`, like the input. The same gather as the
  ///     forward pass with the kernel k*(g) = k(g⁻¹): transposed weights and inverse stencils.
  ///   - weightGradient: `(adjoint of weight ↦ layer(input, weight)) outputGradient`, like the weight; zeros for an empty
  ///     batch.
  ///   - biasGradient: `biasGradient[o] = Σ outputGradient[·,o,…]`, accumulated in Double; zeros for an empty batch.
  /// - Throws: `nullPointer` for an array that a wanted gradient needs, `invalidSize` for a negative batch,
  /// `misalignedPointer`, `overlap`, `outOfMemory`, `unsupportedAlgorithm`; `cancelled`, after which the gradients are
  /// undefined.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func gradients<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>?, weight: UnsafePointer<S>?,
    inputGradient: UnsafeMutablePointer<S>?, weightGradient: UnsafeMutablePointer<S>?,
    biasGradient: UnsafeMutablePointer<S>?
  ) throws(ConvolutionError) {
    try compute(
      GradientArrays(
        batch: batch, outputGradient: outputGradient, input: input, weight: weight, inputGradient: inputGradient,
        weightGradient: weightGradient, biasGradient: biasGradient),
      RunOptions())
  }

  /// The gradient of the input alone; see `gradients`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func inputGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, weight: UnsafePointer<S>, inputGradient: UnsafeMutablePointer<S>,
    options: RunOptions = RunOptions()
  ) throws(ConvolutionError) {
    try compute(
      GradientArrays(batch: batch, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient),
      options)
  }

  /// The gradient of the weight alone; see `gradients`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func weightGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>, weightGradient: UnsafeMutablePointer<S>,
    options: RunOptions = RunOptions()
  ) throws(ConvolutionError) {
    try compute(
      GradientArrays(batch: batch, outputGradient: outputGradient, input: input, weightGradient: weightGradient),
      options)
  }

  /// The gradient of the bias alone; see `gradients`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func biasGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, biasGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try compute(
      GradientArrays(batch: batch, outputGradient: outputGradient, biasGradient: biasGradient), RunOptions())
  }

  // MARK: - Running

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  private func compute<S: EngineScalar>(_ arrays: GradientArrays<S>, _ options: RunOptions) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      let wanted = try arrays.checked(for: self)
      if arrays.batch == 0 {
        // Gradients of the input have no numbers then.
        wanted.weight?.weightGradient.update(repeating: 0, count: try weightCount())
      } else {
        try runPasses(wanted.input, wanted.weight, batch: arrays.batch, options)
      }
      if let biasGradient = arrays.biasGradient {
        runBias(batch: arrays.batch, arrays.outputGradient, into: biasGradient)
      }
    }
  }

  private func runPasses<S: EngineScalar>(
    _ input: GradientArrays<S>.Input?, _ weight: WeightGradientArrays<S>?, batch: Int, _ options: RunOptions
  ) throws(ConvolutionError) {
    let inputTask: PassTask<S> = task(.inputGradient, batch: batch, S.self, options)
    let weightTask: PassTask<S> = task(.weightGradient, batch: batch, S.self, options)
    guard let border else { return try runPasses(inputTask, input, weightTask, weight, options.method) }
    try runGradients(inputTask, input, weight, with: border) { input, weight throws(ConvolutionError) in
      try runPasses(inputTask, input, weightTask, weight, options.method)
    }
  }

  private func runPasses<S: EngineScalar>(
    _ inputTask: PassTask<S>, _ input: GradientArrays<S>.Input?, _ weightTask: PassTask<S>,
    _ weight: WeightGradientArrays<S>?, _ method: Method?
  ) throws(ConvolutionError) {
    switch (input, weight) {
    case (nil, nil): return
    case (let input?, nil):
      try runPaddedSignalPass(
        inputTask, method,
        SignalArrays(source: input.gradient, weight: .array(input.weight), destination: input.destination))
    case (nil, let weight?): try runWeightGradient(weightTask, method, weight)
    case (let input?, let weight?):
      let (inputMethod, weightMethod) = (try self.method(inputTask), try self.method(weightTask))
      var run = InputGradientRun(
        task: inputTask, tile: inputMethod.tile, arrays: input,
        next: .init(task: weightTask, method: weightMethod, arrays: weight))
      try Algorithms.visit(inputMethod.algorithm, &run)
    }
  }

  /// The gradient of the input, and after it that of the weight in the same workspace.
  private struct InputGradientRun<Scalar: EngineScalar>: AlgorithmVisitor {
    let task: PassTask<Scalar>
    let tile: Tile
    let arrays: GradientArrays<Scalar>.Input
    let next: PlannedWeightGradient<Scalar>

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      let algorithm = A(task: task)
      let pass = try algorithm.signalPass(tile: tile)
      let (arrays, next) = (arrays, next)
      try algorithm.withWeights(.array(arrays.weight), tile: tile) { weights throws(ConvolutionError) in
        var run = WeightGradientRun(
          first: pass,
          firstArrays: .init(source: arrays.gradient, weights: weights, bias: nil, destination: arrays.destination),
          next: next)
        try Algorithms.visit(next.method.algorithm, &run)
      }
    }
  }

  private struct PlannedWeightGradient<S: EngineScalar> {
    let task: PassTask<S>
    let method: Method
    let arrays: WeightGradientArrays<S>
  }

  private struct WeightGradientRun<Scalar: EngineScalar, First: PlannedPass>: AlgorithmVisitor {
    let first: First
    let firstArrays: First.Arrays
    let next: PlannedWeightGradient<Scalar>

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      let pass = try A(task: next.task).weightGradient(tile: next.method.tile)
      let workspace = try Workspace(first.layout, or: pass.layout)
      try first.run(firstArrays, in: workspace)
      try pass.run(next.arrays, in: workspace)
    }
  }

  private func runBias<S: EngineScalar>(
    batch: Int, _ gradient: UnsafePointer<S>, into biasGradient: UnsafeMutablePointer<S>
  ) {
    let numbers = outputElements * geometry.output.volume
    BiasGradient.run(
      batch: batch, outputs: descriptor.outChannels, numbersPerOutput: numbers, gradient: gradient,
      into: biasGradient, threads: batch * descriptor.outChannels * numbers < 1 << 20 ? 1 : Threads.count)
  }
}

/// The arrays of the gradients of a layer. A gradient that is nil is not wanted.
struct GradientArrays<S: EngineScalar> {
  var batch: Int
  var outputGradient: UnsafePointer<S>
  var input: UnsafePointer<S>?
  var weight: UnsafePointer<S>?
  var inputGradient: UnsafeMutablePointer<S>?
  var weightGradient: UnsafeMutablePointer<S>?
  var biasGradient: UnsafeMutablePointer<S>?

  /// What the gradient of the input reads and writes.
  struct Input {
    let gradient: UnsafePointer<S>
    let weight: UnsafePointer<S>
    var destination: UnsafeMutablePointer<S>
  }

  /// The wanted passes, once every array is there, is aligned, and is apart from those that others write.
  func checked(
    for plan: ConvolutionPlan
  ) throws(ConvolutionError) -> (input: Input?, weight: WeightGradientArrays<S>?) {
    let (inputCount, outputCount) = (try plan.inputCount(batch), try plan.outputCount(batch))
    let weightCount = try plan.weightCount()
    let read = (
      try ArrayRange(.outputGradient, outputGradient, outputCount),
      try ArrayRange(.weight, needed(weight, .weight, for: inputGradient), weightCount),
      try ArrayRange(.input, needed(input, .input, for: weightGradient), inputCount)
    )
    let inputRange = try ArrayRange(.inputGradient, inputGradient, inputCount)
    let weightRange = try ArrayRange(.weightGradient, weightGradient, weightCount)
    let biasRange = try ArrayRange(.biasGradient, biasGradient, plan.descriptor.outChannels)
    try inputRange?.checkApart(from: read.0, read.1, read.2)
    try weightRange?.checkApart(from: read.0, read.1, read.2, inputRange)
    try biasRange?.checkApart(from: read.0, read.1, read.2, inputRange, weightRange)
    var wanted: (input: Input?, weight: WeightGradientArrays<S>?) = (nil, nil)
    if let inputGradient, let weight {
      wanted.input = Input(gradient: outputGradient, weight: weight, destination: inputGradient)
    }
    if let weightGradient, let input {
      wanted.weight = WeightGradientArrays(gradient: outputGradient, input: input, weightGradient: weightGradient)
    }
    return wanted
  }

  /// The array, or nil if the gradient that reads it is not wanted.
  private func needed(
    _ array: UnsafePointer<S>?, _ name: Argument, for gradient: UnsafeMutablePointer<S>?
  ) throws(ConvolutionError) -> UnsafePointer<S>? {
    if gradient == nil { return nil }
    guard let array else { throw ConvolutionError(.nullPointer, name, "NULL", expected: "a pointer") }
    return array
  }
}
