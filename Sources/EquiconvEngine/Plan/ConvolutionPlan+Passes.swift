// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
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
          .invalidSize, .weight, "\(weight.count) prepared numbers", expected: "\(try weightCount()), \(weightShape)")
      }
      try runForward(batch: batch, input, .prepared(weight), bias, output, RunOptions())
    }
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>, options: RunOptions
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try runForward(batch: batch, input, .array(weight), bias, output, options)
    }
  }

  private func runForward<S: EngineScalar>(
    batch: Int, _ input: UnsafePointer<S>, _ weight: WeightSource<S>, _ bias: UnsafePointer<S>?,
    _ output: UnsafeMutablePointer<S>, _ options: RunOptions
  ) throws(ConvolutionError) {
    let inputRange = try ArrayRange(.input, input, inputCount(batch))
    let weightRange = try ArrayRange(.weight, weight.pointer, weightCount())
    let outputRange = try ArrayRange(.output, output, outputCount(batch))
    var biasRange: ArrayRange?
    if let bias { biasRange = try ArrayRange(.bias, bias, descriptor.outChannels) }
    try outputRange.checkApart(from: inputRange, weightRange, biasRange)
    let task = task(.forward, batch: batch, S.self, options, isPrepared: weight.isPrepared)
    try run(task, options.method, from: input, weight, bias: bias, to: output)
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
      let outputGradientRange = try ArrayRange(.outputGradient, outputGradient, outputCount(batch))
      let weightRange = try ArrayRange(.weight, weight, weightCount())
      try ArrayRange(.inputGradient, inputGradient, inputCount(batch)).checkApart(
        from: outputGradientRange, weightRange)
      let task = task(.inputGradient, batch: batch, S.self, options)
      try run(task, options.method, from: outputGradient, .array(weight), bias: nil, to: inputGradient)
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
      let outputGradientRange = try ArrayRange(.outputGradient, outputGradient, outputCount(batch))
      let inputRange = try ArrayRange(.input, input, inputCount(batch))
      try ArrayRange(.weightGradient, weightGradient, weightCount()).checkApart(from: outputGradientRange, inputRange)
      if batch == 0 { return weightGradient.update(repeating: 0, count: try weightCount()) }
      let task = task(.weightGradient, batch: batch, S.self, options)
      try run(
        task, options.method, .init(gradient: outputGradient, input: input, weightGradient: weightGradient))
    }
  }

  /// `biasGradient[o] = Σ outputGradient[·,o,…]`, accumulated in Double; zeros for an empty batch.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func biasGradient<S: EngineScalar>(
    batch: Int, outputGradient: UnsafePointer<S>, biasGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      let outputGradientRange = try ArrayRange(.outputGradient, outputGradient, outputCount(batch))
      try ArrayRange(.biasGradient, biasGradient, descriptor.outChannels).checkApart(from: outputGradientRange)
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
      let weightRange = try ArrayRange(.weight, weight, weightCount())
      try ArrayRange(.bank, bank, bankCount()).checkApart(from: weightRange)
      try withCore(weight) { core throws(ConvolutionError) in
        Expansion(stencil: stencil, geometry: geometry).run(
          core, into: bank, outputs: descriptor.outChannels, channels: moduleInputs)
      }
    }
  }
}
