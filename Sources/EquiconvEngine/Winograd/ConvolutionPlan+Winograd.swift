// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
  /// The forward pass by Winograd tiles, whatever the descriptor's algorithm; for tests and measurements.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func winogradForward<S: EngineScalar>(
    batch: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>, bias: UnsafePointer<S>?,
    output: UnsafeMutablePointer<S>, options: WinogradOptions
  ) throws(ConvolutionError) {
    try winograd(
      .forward(self), batch: batch, source: input, weight, bias: bias, destination: output, channels: moduleInputs,
      outputs: moduleOutputs, outputStride: moduleInputs * stencil.coefficients, channelStride: stencil.coefficients,
      options)
  }

  /// The input gradient by Winograd tiles, likewise.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func winogradInputGradient<S: EngineScalar>(
    batch: Int, gradOutput: UnsafePointer<S>, weight: UnsafePointer<S>, gradInput: UnsafeMutablePointer<S>,
    options: WinogradOptions
  ) throws(ConvolutionError) {
    try winograd(
      .adjoint(self), batch: batch, source: gradOutput, weight, bias: nil, destination: gradInput,
      channels: moduleOutputs, outputs: moduleInputs, outputStride: stencil.coefficients,
      channelStride: moduleInputs * stencil.coefficients, options)
  }

  private func winograd<S: EngineScalar>(
    _ correlation: PlaneCorrelation, batch: Int, source: UnsafePointer<S>, _ weight: UnsafePointer<S>,
    bias: UnsafePointer<S>?, destination: UnsafeMutablePointer<S>, channels: Int, outputs: Int, outputStride: Int,
    channelStride: Int, _ options: WinogradOptions
  ) throws(ConvolutionError) {
    let pass = try WinogradPass<S>(
      correlation, batch: batch, channels: channels, outputs: outputs, tile: options.tile,
      instructions: options.instructions, threads: options.threads, workspaceLimit: options.workspaceLimit)
    let weights = WinogradWeights<S>(
      correlation, channels: channels, outputs: outputs, tile: options.tile, instructions: options.instructions)
    try withCore(weight) { core throws(ConvolutionError) in
      let transformed = try weights.transform(
        core, outputStride: outputStride, channelStride: channelStride, threads: options.threads)
      for _ in 0..<options.repetitions {
        try pass.run(
          .init(source: source, weights: transformed.base, bias: bias, destination: destination))
      }
      withExtendedLifetime(transformed) {}
    }
  }
}

/// How a Winograd pass is to run.
package struct WinogradOptions: Sendable {
  /// P of tiles of P × P outputs, 4 or 2.
  package var tile = 4
  package var instructions = InstructionSet.current
  package var threads = 1
  package var workspaceLimit = WorkspaceLimit.initialBytes
  /// Passes that are run with the same transformed weights.
  package var repetitions = 1

  package init(tile: Int = 4) { self.tile = tile }
}
