// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

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
    try forward(batch: batch, input: input, weight: weight, bias: bias, pointwise: nil, output: output)
  }

  /// `output = pointwise(layer(input, weight) + bias)`, with the function applied while outputs are in the caches: the bits
  /// are those of `Pointwise.apply` afterwards.
  ///
  /// - Parameters:
  ///   - pointwise: nil for none.
  ///   - threads: at most so many; nil for as many as the process uses for a call of this size.
  /// - Throws: as above, and `invalidSize` for a number of threads below 1 or beyond `Threads.limit`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: PreparedWeight<S>, bias: UnsafePointer<S>?, pointwise: Pointwise?,
    output: UnsafeMutablePointer<S>, threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try check(weight)
      try Threads.check(threads)
      try runSignalPass(
        .forward, batch: batch, input, .prepared(weight), bias, pointwise, output, RunOptions(threads: threads))
    }
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>, options: RunOptions
  ) throws(ConvolutionError) {
    try forward(
      batch: batch, input: input, weight: weight, bias: bias, pointwise: nil, output: output, options: options)
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func forward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?, pointwise: Pointwise?,
    output: UnsafeMutablePointer<S>, options: RunOptions
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try runSignalPass(.forward, batch: batch, input, .array(weight), bias, pointwise, output, options)
    }
  }

  /// Throws unless prepared weights are as many as the layer has.
  func check<S: EngineScalar>(_ weight: PreparedWeight<S>) throws(ConvolutionError) {
    let count = try weightCount()
    if weight.count == count { return }
    throw ConvolutionError(
      .invalidSize, .weight, "\(weight.count) prepared numbers", expected: "\(count), \(listText(weightShape))")
  }

  /// A forward pass, or the transposed layer, of the caller's arrays.
  func runSignalPass<S: EngineScalar>(
    _ pass: Pass, batch: Int, _ input: UnsafePointer<S>, _ weight: WeightSource<S>, _ bias: UnsafePointer<S>?,
    _ pointwise: Pointwise?, _ output: UnsafeMutablePointer<S>, _ options: RunOptions
  ) throws(ConvolutionError) {
    let isForward = pass == .forward
    let (inputs, outputs) = (try inputCount(batch), try outputCount(batch))
    let inputRange = try ArrayRange(.input, input, isForward ? inputs : outputs)
    let weightRange = try ArrayRange(.weight, weight.pointer, weightCount())
    let outputRange = try ArrayRange(.output, output, isForward ? outputs : inputs)
    let biasRange = try ArrayRange(.bias, bias, isForward ? descriptor.outChannels : descriptor.inChannels)
    try outputRange.checkApart(from: inputRange, weightRange, biasRange)
    let task = task(pass, batch: batch, S.self, options, isPrepared: weight.isPrepared)
    try runSignalPass(
      task, options.method,
      SignalArrays(source: input, weight: weight, bias: bias, pointwise: pointwise, destination: output))
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
