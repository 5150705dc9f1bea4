// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
  /// The transposed layer, `output = pointwise(layerᵀ(input, weight) + bias)`: the adjoint of the layer in its signal, which
  /// is its input gradient.
  ///
  /// - Parameters:
  ///   - input: `outputShape(batch:)`, C-contiguous: what the layer would write.
  ///   - weight: As for the forward pass; transforms are kept apart.
  ///   - bias: (C), or nil.
  ///   - pointwise: Applied while outputs are in the caches; nil for none.
  ///   - output: `inputShape(batch:)`.
  ///   - threads: At most so many; nil for as many as the process uses for a call of this size.
  /// - Throws: as `forward`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func transposed<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: PreparedWeight<S>, bias: UnsafePointer<S>?, pointwise: Pointwise?,
    output: UnsafeMutablePointer<S>, threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try check(weight)
      try Threads.check(threads)
      try runTransposed(
        batch: batch, input, .prepared(weight), bias, pointwise, output, RunOptions(threads: threads))
    }
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func transposed<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?, pointwise: Pointwise?,
    output: UnsafeMutablePointer<S>, options: RunOptions
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try runTransposed(batch: batch, input, .array(weight), bias, pointwise, output, options)
    }
  }

  private func runTransposed<S: EngineScalar>(
    batch: Int, _ input: UnsafePointer<S>, _ weight: WeightSource<S>, _ bias: UnsafePointer<S>?,
    _ pointwise: Pointwise?, _ output: UnsafeMutablePointer<S>, _ options: RunOptions
  ) throws(ConvolutionError) {
    let inputRange = try ArrayRange(.input, input, outputCount(batch))
    let weightRange = try ArrayRange(.weight, weight.pointer, weightCount())
    let outputRange = try ArrayRange(.output, output, inputCount(batch))
    let biasRange = try ArrayRange(.bias, bias, descriptor.inChannels)
    try outputRange.checkApart(from: inputRange, weightRange, biasRange)
    let task = task(.inputGradient, batch: batch, S.self, options, isPrepared: weight.isPrepared)
    try runSignalPass(task, options.method, from: input, weight, bias: bias, pointwise, to: output)
  }
}
