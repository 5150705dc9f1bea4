// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Gradients of `<outputGradient, layer(x)>`: of the signal, of the weight and of the bias.
extension Convolution {
  /// All three gradients (the vector–Jacobian product), by one call of the engine.
  ///
  ///     let (input, weight, bias) = try layer.gradients(from: outputGradient, at: x)
  ///
  /// - Parameters:
  ///   - outputGradient: like the layer's output at `x`.
  ///   - x: the signal the layer was applied to.
  /// - Returns: gradients like `x`, like the weight, and one number for each output channel.
  /// - Throws: `ConvolutionError` naming the argument that does not fit, its value and what was expected.
  public func gradients(
    from outputGradient: Signal<Scalar>, at x: Signal<Scalar>
  ) throws(ConvolutionError) -> (input: Signal<Scalar>, weight: Tensor<Scalar>, bias: [Scalar]) {
    let plan = try plan(outputGradient: outputGradient, for: x)
    if x.batch == 0 {
      // Arrays without numbers are not filled.
      return (
        try .zeros(inputSpace, shape: x.shape), try .zeros(shape: weight.shape),
        [Scalar](repeating: 0, count: weight.shape[0])
      )
    }
    var (weightGradient, biasGradient) = (weight, [Scalar]())
    let inputGradient = try Tensor<Scalar>(shape: x.shape) { inputGradient throws(ConvolutionError) in
      weightGradient = try Tensor(shape: weight.shape) { weightGradient throws(ConvolutionError) in
        biasGradient = try filledArray(count: weight.shape[0]) { biasGradient throws(ConvolutionError) in
          try plan.gradients(
            batch: x.batch, outputGradient: outputGradient.storage, input: x.storage, weight: weight.storage,
            inputGradient: inputGradient, weightGradient: weightGradient, biasGradient: biasGradient)
        }
      }
    }
    return (try Signal(inputSpace, inputGradient), weightGradient, biasGradient)
  }

  /// The gradient of the signal: the adjoint of x ↦ layer(x), a convolution with k*(g) = k(g⁻¹).
  ///
  /// - Parameters: see `gradients(from:at:)`. Of `x` only the shape is read.
  /// - Returns: a signal like `x`.
  public func inputGradient(
    from outputGradient: Signal<Scalar>, at x: Signal<Scalar>
  ) throws(ConvolutionError) -> Signal<Scalar> {
    let plan = try plan(outputGradient: outputGradient, for: x)
    return try Signal(
      inputSpace,
      Tensor(shape: x.shape) { gradient throws(ConvolutionError) in
        try plan.inputGradient(
          batch: x.batch, outputGradient: outputGradient.storage, weight: weight.storage, inputGradient: gradient)
      })
  }

  /// The gradient of the weight: the adjoint of weight ↦ layer(x).
  ///
  /// - Parameters: see `gradients(from:at:)`.
  /// - Returns: a tensor like the weight; zeros for an empty batch.
  public func weightGradient(
    from outputGradient: Signal<Scalar>, at x: Signal<Scalar>
  ) throws(ConvolutionError) -> Tensor<Scalar> {
    let plan = try plan(outputGradient: outputGradient, for: x)
    if x.batch == 0 { return try .zeros(shape: weight.shape) }
    return try Tensor(shape: weight.shape) { gradient throws(ConvolutionError) in
      try plan.weightGradient(
        batch: x.batch, outputGradient: outputGradient.storage, input: x.storage, weightGradient: gradient)
    }
  }

  /// The gradient of the bias: `∂b[o] = Σ outputGradient[·,o,…]`, accumulated in Double.
  ///
  /// - Parameters: see `gradients(from:at:)`. Of `x` only the shape is read.
  /// - Returns: O numbers, whether the layer has a bias or not; zeros for an empty batch.
  public func biasGradient(
    from outputGradient: Signal<Scalar>, at x: Signal<Scalar>
  ) throws(ConvolutionError) -> [Scalar] {
    let plan = try plan(outputGradient: outputGradient, for: x)
    if x.batch == 0 { return [Scalar](repeating: 0, count: weight.shape[0]) }
    return try filledArray(count: weight.shape[0]) { gradient throws(ConvolutionError) in
      try plan.biasGradient(batch: x.batch, outputGradient: outputGradient.storage, biasGradient: gradient)
    }
  }
}
