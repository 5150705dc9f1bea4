// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Gradients of the four layers at this signal, in one call each; see also `Convolution.gradients(from:at:)`.
extension Signal {
  /// Gradients of `<outputGradient, isotropicConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - outputGradient: (batch, O, spatial…), like the output.
  ///   - weight: (O, C, kernel…).
  ///   - group: H; this and the further parameters are those of `isotropicConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func isotropicConvolutionGradients(
    from outputGradient: Signal, weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (input: Signal, weight: Tensor<Scalar>, bias: [Scalar]) {
    try Convolution(
      .isotropic, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).gradients(from: outputGradient, at: self)
  }

  /// Gradients of `<outputGradient, liftingConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - outputGradient: (batch, O, |H|, spatial…), like the output.
  ///   - weight: (O, C, kernel…).
  ///   - group: H; this and the further parameters are those of `liftingConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func liftingConvolutionGradients(
    from outputGradient: Signal, weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (input: Signal, weight: Tensor<Scalar>, bias: [Scalar]) {
    try Convolution(
      .lifting, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).gradients(from: outputGradient, at: self)
  }

  /// Gradients of `<outputGradient, groupConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - outputGradient: (batch, O, |H|, spatial…), like the output.
  ///   - weight: (O, C, |H|, kernel…).
  ///   - group: H; this and the further parameters are those of `groupConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func groupConvolutionGradients(
    from outputGradient: Signal, weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (input: Signal, weight: Tensor<Scalar>, bias: [Scalar]) {
    try Convolution(
      .group, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).gradients(from: outputGradient, at: self)
  }

  /// Gradients of `<outputGradient, projectionConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - outputGradient: (batch, O, spatial…), like the output.
  ///   - weight: (O, C, |H|, kernel…).
  ///   - group: H; this and the further parameters are those of `projectionConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func projectionConvolutionGradients(
    from outputGradient: Signal, weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (input: Signal, weight: Tensor<Scalar>, bias: [Scalar]) {
    try Convolution(
      .projection, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).gradients(from: outputGradient, at: self)
  }
}
