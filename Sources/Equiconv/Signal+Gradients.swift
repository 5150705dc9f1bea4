// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Gradients of the four layers at this signal, in one call each; see also `Convolution.vjp`.
extension Signal {
  /// Gradients of `<gradOutput, isotropicConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - gradOutput: (batch, O, spatial…), like the output.
  ///   - weight: (O, C, kernel…).
  ///   - group: H; this and the further parameters are those of `isotropicConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func isotropicConvolutionVJP(
    _ gradOutput: Signal, _ weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (gradInput: Signal, gradWeight: Tensor<Scalar>, gradBias: [Scalar]) {
    try Convolution(
      .isotropic, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).vjp(gradOutput, at: self)
  }

  /// Gradients of `<gradOutput, liftingConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - gradOutput: (batch, O, |H|, spatial…), like the output.
  ///   - weight: (O, C, kernel…).
  ///   - group: H; this and the further parameters are those of `liftingConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func liftingConvolutionVJP(
    _ gradOutput: Signal, _ weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (gradInput: Signal, gradWeight: Tensor<Scalar>, gradBias: [Scalar]) {
    try Convolution(
      .lifting, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).vjp(gradOutput, at: self)
  }

  /// Gradients of `<gradOutput, groupConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - gradOutput: (batch, O, |H|, spatial…), like the output.
  ///   - weight: (O, C, |H|, kernel…).
  ///   - group: H; this and the further parameters are those of `groupConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func groupConvolutionVJP(
    _ gradOutput: Signal, _ weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (gradInput: Signal, gradWeight: Tensor<Scalar>, gradBias: [Scalar]) {
    try Convolution(
      .group, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).vjp(gradOutput, at: self)
  }

  /// Gradients of `<gradOutput, projectionConvolution(weight, …)>`.
  ///
  /// - Parameters:
  ///   - gradOutput: (batch, O, spatial…), like the output.
  ///   - weight: (O, C, |H|, kernel…).
  ///   - group: H; this and the further parameters are those of `projectionConvolution`.
  /// - Returns: gradients of this signal, like it; of the weight, like it; and of the bias, O numbers.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  public func projectionConvolutionVJP(
    _ gradOutput: Signal, _ weight: Tensor<Scalar>, group: PointGroup, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> (gradInput: Signal, gradWeight: Tensor<Scalar>, gradBias: [Scalar]) {
    try Convolution(
      .projection, group: group, weight: weight, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm
    ).vjp(gradOutput, at: self)
  }
}
