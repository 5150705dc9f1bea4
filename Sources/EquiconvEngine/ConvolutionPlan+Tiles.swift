// SPDX-License-Identifier: Apache-2.0

/// A forward pass or an input gradient by one of the algorithms on tiles.
struct TilePassArrays<S: EngineScalar> {
  var batch: Int
  var source: UnsafePointer<S>
  var weight: UnsafePointer<S>
  var bias: UnsafePointer<S>?
  var destination: UnsafeMutablePointer<S>
}

extension ConvolutionPlan {
  /// Channels that a correlation reads and computes in a pass.
  func channels(_ pass: Pass) -> (read: Int, computed: Int) {
    pass == .inputGradient ? (moduleOutputs, moduleInputs) : (moduleInputs, moduleOutputs)
  }

  /// Runs a pass by Fourier tiles.
  func runFourier<S: EngineScalar>(
    _ pass: Pass, length: Int, _ arrays: TilePassArrays<S>, instructions: InstructionSet, threads: Int
  ) throws(ConvolutionError) {
    let fourier = try tilePlans.fourier(pass, length: length, of: self)
    let channels = channels(pass)
    let tilePass = try FourierPass<S>(
      plan: fourier, batch: arrays.batch, channels: channels.read, outputs: channels.computed,
      instructions: instructions, threads: threads, workspaceLimit: WorkspaceLimit.bytesPerThread)
    let weights = try transformed(pass, .fourier(length: length), arrays.weight, instructions, threads)
    try tilePass.run(
      .init(
        source: arrays.source, weights: weights.base, bias: arrays.bias, destination: arrays.destination))
    withExtendedLifetime(weights) {}
  }

  /// The weights in the basis of a method.
  private func transformed<S: EngineScalar>(
    _ pass: Pass, _ method: Method, _ weight: UnsafePointer<S>, _ instructions: InstructionSet, _ threads: Int
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let key = TransformKey(
      pass: pass, method: method, instructions: instructions, scalarBytes: MemoryLayout<S>.stride)
    return try weightCache.transformed(key, weight: weight, count: try weightCount()) { () throws(ConvolutionError) in
      try transform(pass, method, weight, instructions, threads)
    }
  }

  private func transform<S: EngineScalar>(
    _ pass: Pass, _ method: Method, _ weight: UnsafePointer<S>, _ instructions: InstructionSet, _ threads: Int
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    guard case .fourier(let length) = method else { preconditionFailure("the direct method has no transform") }
    let channels = channels(pass)
    let transform = FourierWeights<S>(
      plan: try tilePlans.fourier(pass, length: length, of: self), channels: channels.read,
      outputs: channels.computed, kernels: S.microkernels(instructions), threads: threads)
    let strides = (stencil.coefficients, moduleInputs * stencil.coefficients)
    var result: TransformedWeights<S>?
    try withCore(weight) { core throws(ConvolutionError) in
      result = try transform.transform(
        .init(
          weights: core, outputStride: pass == .inputGradient ? strides.0 : strides.1,
          channelStride: pass == .inputGradient ? strides.1 : strides.0))
    }
    guard let result else { preconditionFailure("withCore calls its body") }
    return result
  }
}
