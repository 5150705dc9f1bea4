// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Gradients of `<gradOutput, layer(x)>`: of the signal, of the weight and of the bias.
extension Convolution {
  /// All three gradients (the vector–Jacobian product).
  ///
  /// - Parameters:
  ///   - gradOutput: like the layer's output at `x`.
  ///   - x: the signal the layer was applied to.
  /// - Returns: gradients like `x`, like the weight, and one number for each output channel.
  /// - Throws: `ConvolutionError` naming the argument that does not fit, its value and what was expected.
  public func vjp(
    _ gradOutput: Signal<Scalar>, at x: Signal<Scalar>
  ) throws(ConvolutionError) -> (gradInput: Signal<Scalar>, gradWeight: Tensor<Scalar>, gradBias: [Scalar]) {
    (
      try inputGradient(gradOutput, at: x), try weightGradient(gradOutput, at: x), try biasGradient(gradOutput, at: x)
    )
  }

  /// The gradient of the signal: the adjoint of x ↦ layer(x), a convolution with k*(g) = k(g⁻¹).
  ///
  /// - Parameters: see `vjp`. Of `x` only the shape is read.
  /// - Returns: a signal like `x`.
  public func inputGradient(
    _ gradOutput: Signal<Scalar>, at x: Signal<Scalar>
  ) throws(ConvolutionError) -> Signal<Scalar> {
    let plan = try plan(gradOutput: gradOutput, for: x)
    return try Signal(
      inputSpace,
      Tensor(shape: x.shape) { gradInput throws(ConvolutionError) in
        try plan.inputGradient(
          batch: x.batch, gradOutput: gradOutput.storage, weight: weight.storage, gradInput: gradInput)
      })
  }

  /// The gradient of the weight: the adjoint of weight ↦ layer(x).
  ///
  /// - Parameters: see `vjp`.
  /// - Returns: a tensor like the weight; zeros for an empty batch.
  public func weightGradient(
    _ gradOutput: Signal<Scalar>, at x: Signal<Scalar>
  ) throws(ConvolutionError) -> Tensor<Scalar> {
    let plan = try plan(gradOutput: gradOutput, for: x)
    if x.batch == 0 { return try .zeros(shape: weight.shape) }
    return try Tensor(shape: weight.shape) { gradWeight throws(ConvolutionError) in
      try plan.weightGradient(
        batch: x.batch, gradOutput: gradOutput.storage, input: x.storage, gradWeight: gradWeight)
    }
  }

  /// The gradient of the bias: `∂b[o] = Σ gradOutput[·,o,…]`, accumulated in Double.
  ///
  /// - Parameters: see `vjp`. Of `x` only the shape is read.
  /// - Returns: O numbers, whether the layer has a bias or not; zeros for an empty batch.
  public func biasGradient(_ gradOutput: Signal<Scalar>, at x: Signal<Scalar>) throws(ConvolutionError) -> [Scalar] {
    let plan = try plan(gradOutput: gradOutput, for: x)
    if x.batch == 0 { return [Scalar](repeating: 0, count: weight.shape[0]) }
    return try filledArray(count: weight.shape[0]) { gradBias throws(ConvolutionError) in
      try plan.biasGradient(batch: x.batch, gradOutput: gradOutput.storage, gradBias: gradBias)
    }
  }
}
