// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
  /// Below so many operations a call stays on its own thread: handing out work costs as much.
  private static let smallestSharedWork = 4e6

  func threads(for batch: Int) -> Int {
    flops(batch: batch) < Self.smallestSharedWork ? 1 : Threads.count
  }

  /// `output = layer(input, weight) + bias`.
  ///
  /// - Parameters:
  ///   - input: `inputShape(batch:)`, C-contiguous; likewise `output`.
  ///   - weight: `weightShape`.
  ///   - bias: (O), or nil.
  /// - Throws: `invalidSize` for a negative batch, `misalignedPointer`, `overlap`, `outOfMemory`, `unsupportedAlgorithm`.
  /// - Complexity: 2 batch · O · |Y| · C · |X| · taps · outputs operations by the direct algorithm, 1/|H| of that for plane
  ///   outputs; see `explain` for the others.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try forward(batch: batch, input: input, weight: weight, bias: bias, output: output, options: RunOptions())
  }

  /// The same with weights that were copied, and are transformed, once.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: PreparedWeight<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      if weight.count != (try weightCount()) {
        throw ConvolutionError(
          .invalidSize, "weight", "\(weight.count) prepared numbers", expected: "\(try weightCount()), \(weightShape)")
      }
      try forward(
        .init(batch: batch, source: input, weight: .prepared(weight), bias: bias, destination: output),
        passOptions(RunOptions(), batch: batch), nil)
    }
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>, options: RunOptions
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try forward(
        .init(batch: batch, source: input, weight: .array(weight), bias: bias, destination: output),
        passOptions(options, batch: batch), options.method)
    }
  }

  private func forward<S: EngineScalar>(
    _ arrays: PassArrays<S>, _ options: PassOptions, _ method: Method?
  ) throws(ConvolutionError) {
    let inputRange = try ArrayRange("input", arrays.source, inputCount(arrays.batch))
    let weightRange = try ArrayRange("weight", arrays.weight.pointer, weightCount())
    let outputRange = try ArrayRange("output", arrays.destination, outputCount(arrays.batch))
    var biasRange: ArrayRange?
    if let bias = arrays.bias { biasRange = try ArrayRange("bias", bias, descriptor.outChannels) }
    try outputRange.checkApart(from: inputRange, weightRange, biasRange)
    try run(.forward, arrays, options, method)
  }

  /// `inputGradient = (adjoint of input ↦ layer(input, weight)) outputGradient`.
  ///
  /// The same gather as the forward pass with the kernel k*(g) = k(g⁻¹): transposed weights and inverse stencils.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func inputGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, weight: UnsafePointer<S>, inputGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try self.inputGradient(
      batch: batch, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient, options: RunOptions())
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func inputGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, weight: UnsafePointer<S>, inputGradient: UnsafeMutablePointer<S>,
    options: RunOptions
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      let outputGradientRange = try ArrayRange("grad_output", outputGradient, outputCount(batch))
      let weightRange = try ArrayRange("weight", weight, weightCount())
      try ArrayRange("grad_input", inputGradient, inputCount(batch)).checkApart(from: outputGradientRange, weightRange)
      try run(
        .inputGradient,
        .init(batch: batch, source: outputGradient, weight: .array(weight), bias: nil, destination: inputGradient),
        passOptions(options, batch: batch), options.method)
    }
  }

  /// A checked forward pass or input gradient, by the method given or chosen.
  private func run<S: EngineScalar>(
    _ pass: Pass, _ arrays: PassArrays<S>, _ options: PassOptions, _ method: Method?
  ) throws(ConvolutionError) {
    if arrays.batch == 0 { return }
    let chosen =
      if let method { method } else {
        try self.method(pass, batch: arrays.batch, S.self, options, isPrepared: arrays.weight.isPrepared)
      }
    switch chosen {
    case .direct: try runDirect(pass, arrays, options)
    case .fourier(let length):
      try run(fourier(pass, length: length, batch: arrays.batch, S.self, options), pass, chosen, arrays, options)
    case .winograd(let outputs):
      try run(winograd(pass, outputs: outputs, batch: arrays.batch, S.self, options), pass, chosen, arrays, options)
    }
  }

  /// The gather that a pass is by the direct algorithm; for a weight gradient the one it is the adjoint of.
  func gatherPlan(_ pass: Pass) throws(ConvolutionError) -> GatherPlan {
    pass == .inputGradient ? try adjointPlan() : forwardPlan
  }

  /// A forward pass or an input gradient by the direct algorithm.
  func direct<S: EngineScalar>(
    _ pass: Pass, batch: Int, _: S.Type, _ options: PassOptions
  ) throws(ConvolutionError) -> GatherPass<S> {
    let channels = channels(pass)
    return try GatherPass(
      plan: gatherPlan(pass), batch: batch * modules, channels: channels.read,
      outputs: channels.computed, modules: modules, instructions: options.instructions, threads: options.threads)
  }

  /// A weight gradient by the direct algorithm, of one module.
  func directWeightGradient<S: EngineScalar>(
    batch: Int, _: S.Type, _ options: PassOptions
  ) throws(ConvolutionError) -> WeightGradientPass<S> {
    try WeightGradientPass(
      plan: forwardPlan, geometry: geometry, batch: batch, inChannels: moduleInputs, outChannels: moduleOutputs,
      modules: modules, instructions: options.instructions, threads: options.threads)
  }

  private func runDirect<S: EngineScalar>(
    _ pass: Pass, _ arrays: PassArrays<S>, _ options: PassOptions
  ) throws(ConvolutionError) {
    let strides = coreStrides(pass)
    let gather = try direct(pass, batch: arrays.batch, S.self, options)
    try withCore(arrays.weight.pointer) { core throws(ConvolutionError) in
      try gather.run(
        .init(
          source: arrays.source, weights: core, weightOutputStride: strides.output,
          weightChannelStride: strides.channel, bias: arrays.bias, destination: arrays.destination))
    }
  }

  /// `weightGradient = (adjoint of weight ↦ layer(input, weight)) outputGradient`; zeros for an empty batch.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func weightGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>, weightGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try self.weightGradient(
      batch: batch, outputGradient: outputGradient, input: input, weightGradient: weightGradient, options: RunOptions())
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func weightGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>, weightGradient: UnsafeMutablePointer<S>,
    options: RunOptions
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try computeWeightGradient(
        batch: batch, outputGradient: outputGradient, input: input, weightGradient: weightGradient, options: options)
    }
  }

  private func computeWeightGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>, weightGradient: UnsafeMutablePointer<S>,
    options: RunOptions
  ) throws(ConvolutionError) {
    let outputGradientRange = try ArrayRange("grad_output", outputGradient, outputCount(batch))
    let inputRange = try ArrayRange("input", input, inputCount(batch))
    try ArrayRange("grad_weight", weightGradient, weightCount()).checkApart(from: outputGradientRange, inputRange)
    if batch == 0 { return weightGradient.update(repeating: 0, count: try weightCount()) }
    let method = options.method
    let options = passOptions(options, batch: batch)
    let chosen = if let method { method } else { try self.method(.weightGradient, batch: batch, S.self, options) }
    if case .fourier(let length) = chosen {
      let pass = try fourierWeightGradient(length: length, batch: batch, S.self, options)
      return try pass.run(
        gradient: outputGradient, input: input, sampling: stencil.sampling, weightGradient: weightGradient)
    }
    try reduceDirectly(
      batch: batch, outputGradient: outputGradient, input: input, weightGradient: weightGradient, options)
  }

  private func reduceDirectly<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>, weightGradient: UnsafeMutablePointer<S>,
    _ options: PassOptions
  ) throws(ConvolutionError) {
    let pass = try directWeightGradient(batch: batch, S.self, options)
    let weights = try weightCount() / modules
    for module in 0..<modules {
      try pass.run(
        gradient: outputGradient + module * moduleOutputs * outputElements * geometry.output.volume,
        input: input + module * moduleInputs * inputElements * geometry.input.volume,
        weightGradient: weightGradient + module * weights)
    }
  }

  /// `biasGradient[o] = Σ outputGradient[·,o,…]`, accumulated in Double; zeros for an empty batch.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func biasGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, biasGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      let outputGradientRange = try ArrayRange("grad_output", outputGradient, outputCount(batch))
      try ArrayRange("grad_bias", biasGradient, descriptor.outChannels).checkApart(from: outputGradientRange)
      let numbers = outputElements * geometry.output.volume
      BiasGradient.run(
        batch: batch, outputs: descriptor.outChannels, numbersPerOutput: numbers, gradient: outputGradient,
        into: biasGradient,
        threads: batch * descriptor.outChannels * numbers < 1 << 20 ? 1 : Threads.count)
    }
  }

  /// The filter bank of the equal ordinary convolution, shape `bankShape`:
  /// `bank[o,p,c,e](u) = mean over h in p of k[o,c](h⁻¹e, h⁻¹u) / |det h|` for each point p of the output's fiber.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func expand<S: EngineScalar>(
    weight: UnsafePointer<S>, bank: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      let weightRange = try ArrayRange("weight", weight, weightCount())
      try ArrayRange("bank", bank, bankCount()).checkApart(from: weightRange)
      try withCore(weight) { core throws(ConvolutionError) in
        Expansion(stencil: stencil, geometry: geometry).run(
          core, into: bank, outputs: descriptor.outChannels, channels: moduleInputs)
      }
    }
  }

  /// Gives `body` the weights ŵ of the stencil: the user's own, or what the sampling operator makes of them.
  func withCore<S: EngineScalar, R>(
    _ weight: UnsafePointer<S>, _ body: (UnsafePointer<S>) throws(ConvolutionError) -> R
  ) throws(ConvolutionError) -> R {
    guard let sampling = stencil.sampling else { return try body(weight) }
    let pairs = descriptor.outChannels * moduleInputs
    var layout = Workspace.Layout()
    let core = try layout.reserve(S.self, pairs, stencil.coefficients)
    let workspace = try Workspace(layout)
    try sampling.apply(weight, into: workspace[core], channelPairs: pairs)
    return try body(workspace[core])
  }
}
