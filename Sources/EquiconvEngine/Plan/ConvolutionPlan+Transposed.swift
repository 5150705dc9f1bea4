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
      try runSignalPass(
        .inputGradient, batch: batch, input, .prepared(weight), bias, pointwise, output, RunOptions(threads: threads))
    }
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func transposed<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?, pointwise: Pointwise?,
    output: UnsafeMutablePointer<S>, options: RunOptions
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try runSignalPass(.inputGradient, batch: batch, input, .array(weight), bias, pointwise, output, options)
    }
  }
}
