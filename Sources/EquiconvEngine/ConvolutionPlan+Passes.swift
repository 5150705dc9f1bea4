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
  /// - Throws: `invalidSize` for a negative batch, `misalignedPointer`, `overlap`, `outOfMemory`.
  /// - Complexity: 2 batch · O · |Y| · C · |X| · taps · outputs operations; 1/|H| of that for plane outputs.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try forward(batch: batch, input: input, weight: weight, bias: bias, output: output, instructions: .current)
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>, instructions: InstructionSet, method: Method? = nil
  ) throws(ConvolutionError) {
    let inputRange = try ArrayRange("input", input, inputCount(batch))
    let weightRange = try ArrayRange("weight", weight, weightCount())
    let outputRange = try ArrayRange("output", output, outputCount(batch))
    var biasRange: ArrayRange?
    if let bias { biasRange = try ArrayRange("bias", bias, descriptor.outChannels) }
    try outputRange.checkApart(from: inputRange, weightRange, biasRange)
    if batch == 0 { return }
    if case .fourier(let length) = method {
      return try runFourier(
        .forward, length: length, .init(batch: batch, source: input, weight: weight, bias: bias, destination: output),
        instructions: instructions, threads: threads(for: batch))
    }
    let pass = try GatherPass<S>(
      plan: forwardPlan, batch: batch * modules, channels: moduleInputs, outputs: moduleOutputs, modules: modules,
      instructions: instructions, threads: threads(for: batch))
    try withCore(weight) { core throws(ConvolutionError) in
      try pass.run(
        .init(
          source: input, weights: core, weightOutputStride: moduleInputs * stencil.coefficients,
          weightChannelStride: stencil.coefficients, bias: bias, destination: output))
    }
  }

  /// `gradInput = (adjoint of input ↦ layer(input, weight)) gradOutput`.
  ///
  /// The same gather as the forward pass with the kernel k*(g) = k(g⁻¹): transposed weights and inverse stencils.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func inputGradient<S: EngineScalar>(
    batch: Int, gradOutput: UnsafePointer<S>, weight: UnsafePointer<S>, gradInput: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try inputGradient(
      batch: batch, gradOutput: gradOutput, weight: weight, gradInput: gradInput, instructions: .current)
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func inputGradient<S: EngineScalar>(
    batch: Int, gradOutput: UnsafePointer<S>, weight: UnsafePointer<S>, gradInput: UnsafeMutablePointer<S>,
    instructions: InstructionSet, method: Method? = nil
  ) throws(ConvolutionError) {
    let gradOutputRange = try ArrayRange("grad_output", gradOutput, outputCount(batch))
    let weightRange = try ArrayRange("weight", weight, weightCount())
    try ArrayRange("grad_input", gradInput, inputCount(batch)).checkApart(from: gradOutputRange, weightRange)
    if batch == 0 { return }
    if case .fourier(let length) = method {
      return try runFourier(
        .inputGradient, length: length,
        .init(batch: batch, source: gradOutput, weight: weight, bias: nil, destination: gradInput),
        instructions: instructions, threads: threads(for: batch))
    }
    let pass = try GatherPass<S>(
      plan: adjointPlan, batch: batch * modules, channels: moduleOutputs, outputs: moduleInputs, modules: modules,
      instructions: instructions, threads: threads(for: batch),
      fold: descriptor.paddingMode == .circular ? CircularFold(geometry: geometry) : nil)
    try withCore(weight) { core throws(ConvolutionError) in
      try pass.run(
        .init(
          source: gradOutput, weights: core, weightOutputStride: stencil.coefficients,
          weightChannelStride: moduleInputs * stencil.coefficients, bias: nil, destination: gradInput))
    }
  }

  /// `gradWeight = (adjoint of weight ↦ layer(input, weight)) gradOutput`; zeros for an empty batch.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func weightGradient<S: EngineScalar>(
    batch: Int, gradOutput: UnsafePointer<S>, input: UnsafePointer<S>, gradWeight: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try weightGradient(
      batch: batch, gradOutput: gradOutput, input: input, gradWeight: gradWeight, instructions: .current)
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func weightGradient<S: EngineScalar>(
    batch: Int, gradOutput: UnsafePointer<S>, input: UnsafePointer<S>, gradWeight: UnsafeMutablePointer<S>,
    instructions: InstructionSet
  ) throws(ConvolutionError) {
    let gradOutputRange = try ArrayRange("grad_output", gradOutput, outputCount(batch))
    let inputRange = try ArrayRange("input", input, inputCount(batch))
    try ArrayRange("grad_weight", gradWeight, weightCount()).checkApart(from: gradOutputRange, inputRange)
    if batch == 0 { return gradWeight.update(repeating: 0, count: try weightCount()) }
    let pass = try WeightGradientPass<S>(
      plan: forwardPlan, geometry: geometry, batch: batch, inChannels: moduleInputs, outChannels: moduleOutputs,
      modules: modules, instructions: instructions, threads: threads(for: batch))
    let weights = try weightCount() / modules
    for module in 0..<modules {
      try pass.run(
        gradient: gradOutput + module * moduleOutputs * outputElements * geometry.output.volume,
        input: input + module * moduleInputs * inputElements * geometry.input.volume,
        weightGradient: gradWeight + module * weights)
    }
  }

  /// `gradBias[o] = Σ gradOutput[·,o,…]`, accumulated in Double; zeros for an empty batch.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func biasGradient<S: EngineScalar>(
    batch: Int, gradOutput: UnsafePointer<S>, gradBias: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    let gradOutputRange = try ArrayRange("grad_output", gradOutput, outputCount(batch))
    try ArrayRange("grad_bias", gradBias, descriptor.outChannels).checkApart(from: gradOutputRange)
    let numbers = outputElements * geometry.output.volume
    BiasGradient.run(
      batch: batch, outputs: descriptor.outChannels, numbersPerOutput: numbers, gradient: gradOutput, into: gradBias,
      threads: batch * descriptor.outChannels * numbers < 1 << 20 ? 1 : Threads.count)
  }

  /// The filter bank of the equal ordinary convolution, shape `bankShape`:
  /// `bank[o,p,c,e](u) = mean over h in p of k[o,c](h⁻¹e, h⁻¹u) / |det h|` for each point p of the output's fiber.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func expand<S: EngineScalar>(
    weight: UnsafePointer<S>, bank: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    let weightRange = try ArrayRange("weight", weight, weightCount())
    try ArrayRange("bank", bank, bankCount()).checkApart(from: weightRange)
    try withCore(weight) { core throws(ConvolutionError) in
      Expansion(stencil: stencil, geometry: geometry).run(
        core, into: bank, outputs: descriptor.outChannels, channels: moduleInputs)
    }
  }

  /// Gives `body` the weights ŵ of the stencil: the user's own, or what the sampling operator makes of them.
  func withCore<S: EngineScalar>(
    _ weight: UnsafePointer<S>, _ body: (UnsafePointer<S>) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError) {
    guard let sampling = stencil.sampling else { return try body(weight) }
    let pairs = descriptor.outChannels * moduleInputs
    var memory = Workspace.Plan()
    let offset = try memory.reserve(S.self, pairs, stencil.coefficients)
    let workspace = try Workspace(memory)
    let core = workspace.pointer(offset, S.self)
    try sampling.apply(weight, into: core, channelPairs: pairs)
    try body(core)
  }
}
