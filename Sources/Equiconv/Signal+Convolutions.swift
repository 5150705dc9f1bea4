// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// The four layers, in one call each. A layer that is applied often, or trained, is pleasanter as a `Convolution`.
extension Signal {
  /// Isotropic convolution ℝᵈ → ℝᵈ: an ordinary convolution with the mean k̄ of the kernel over H.
  ///
  /// `y[o,x] = b[o] + Σ_{c,x'} k̄[o,c](x'−x) f[c,x']`
  ///
  /// This signal is on the plane.
  /// - Parameters:
  ///   - weight: (O, C, kernel…), any odd or even kernel extents.
  ///   - group: H, a lattice group on the axes of the signal.
  ///   - bias: O numbers, or nil for none.
  ///   - stride: at least 1; sizes with `Convolution.strideRemainder` other than 0 are not equivariant.
  ///   - padding: on both sides of each axis.
  ///   - dilation: at least 1.
  ///   - paddingMode: zeros, or circular for a periodic signal.
  ///   - algorithm: `.direct` is equivariant to the last bit, `.auto` takes the fastest, equivariant up to rounding.
  /// - Returns: (batch, O, spatial…); sizes (size + 2 padding − dilation (kernel − 1) − 1) / stride + 1, rounded down.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  /// - Complexity: see `Convolution.callAsFunction`.
  public func isotropicConvolution(
    _ weight: Tensor<Scalar>, group: PointGroup, bias: [Scalar]? = nil, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> Signal {
    try Convolution(
      .isotropic, group: group, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm)(self)
  }

  /// Lifting convolution ℝᵈ → G: correlation with the kernel turned by every h of H.
  ///
  /// `y[o,h,x] = b[o] + Σ_{c,x'} k[o,c](h⁻¹(x'−x)) f[c,x']`
  ///
  /// This signal is on the plane.
  /// - Parameters:
  ///   - weight: (O, C, kernel…), any odd or even kernel extents.
  ///   - group: H, a lattice group on the axes of the signal.
  ///   - bias: O numbers, or nil for none.
  ///   - stride: at least 1; sizes with `Convolution.strideRemainder` other than 0 are not equivariant.
  ///   - padding: on both sides of each axis.
  ///   - dilation: at least 1.
  ///   - paddingMode: zeros, or circular for a periodic signal.
  ///   - algorithm: `.direct` is equivariant to the last bit, `.auto` takes the fastest, equivariant up to rounding.
  /// - Returns: (batch, O, |H|, spatial…); sizes (size + 2 padding − dilation (kernel − 1) − 1) / stride + 1, rounded down.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  /// - Complexity: see `Convolution.callAsFunction`.
  public func liftingConvolution(
    _ weight: Tensor<Scalar>, group: PointGroup, bias: [Scalar]? = nil, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> Signal {
    try Convolution(
      .lifting, group: group, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm)(self)
  }

  /// Group convolution G → G: correlation over the fiber and over space.
  ///
  /// `y[o,h,x] = b[o] + Σ_{c,h',x'} k[o,c](h⁻¹h', h⁻¹(x'−x)) f[c,h',x']`
  ///
  /// This signal is on the group.
  /// - Parameters:
  ///   - weight: (O, C, |H|, kernel…), any odd or even kernel extents.
  ///   - group: H, a lattice group on the axes of the signal.
  ///   - bias: O numbers, or nil for none.
  ///   - stride: at least 1; sizes with `Convolution.strideRemainder` other than 0 are not equivariant.
  ///   - padding: on both sides of each axis.
  ///   - dilation: at least 1.
  ///   - paddingMode: zeros, or circular for a periodic signal.
  ///   - algorithm: `.direct` is equivariant to the last bit, `.auto` takes the fastest, equivariant up to rounding.
  /// - Returns: (batch, O, |H|, spatial…); sizes (size + 2 padding − dilation (kernel − 1) − 1) / stride + 1, rounded down.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  /// - Complexity: see `Convolution.callAsFunction`.
  public func groupConvolution(
    _ weight: Tensor<Scalar>, group: PointGroup, bias: [Scalar]? = nil, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> Signal {
    try Convolution(
      .group, group: group, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm)(self)
  }

  /// Projection convolution G → ℝᵈ: back to the plane, with the mean k̄ of the kernel over H.
  ///
  /// `y[o,x] = b[o] + Σ_{c,h',x'} k̄[o,c](h', x'−x) f[c,h',x']`
  ///
  /// This signal is on the group.
  /// - Parameters:
  ///   - weight: (O, C, |H|, kernel…), any odd or even kernel extents.
  ///   - group: H, a lattice group on the axes of the signal.
  ///   - bias: O numbers, or nil for none.
  ///   - stride: at least 1; sizes with `Convolution.strideRemainder` other than 0 are not equivariant.
  ///   - padding: on both sides of each axis.
  ///   - dilation: at least 1.
  ///   - paddingMode: zeros, or circular for a periodic signal.
  ///   - algorithm: `.direct` is equivariant to the last bit, `.auto` takes the fastest, equivariant up to rounding.
  /// - Returns: (batch, O, spatial…); sizes (size + 2 padding − dilation (kernel − 1) − 1) / stride + 1, rounded down.
  /// - Throws: `ConvolutionError` naming the argument (`x` is this signal), its value and what was expected.
  /// - Complexity: see `Convolution.callAsFunction`.
  public func projectionConvolution(
    _ weight: Tensor<Scalar>, group: PointGroup, bias: [Scalar]? = nil, stride: PerAxis = 1,
    padding: Padding = .valid, dilation: PerAxis = 1, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) throws(ConvolutionError) -> Signal {
    try Convolution(
      .projection, group: group, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm)(self)
  }
}
