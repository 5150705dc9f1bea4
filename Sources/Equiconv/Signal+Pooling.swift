// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

extension Signal {
  /// Mean or maximum over the fiber H, which turns a signal on the group into one on the plane.
  ///
  /// `y[c,x] = Σ_h f[c,h,x] / |H|`, or `max_h f[c,h,x]`. Both commute with G to the last bit: the mean is computed in
  /// Double, in an order that depends on the values alone. A NaN in the fiber gives NaN.
  ///
  /// - Returns: (batch, channels, spatial…) from (batch, channels, |H|, spatial…).
  /// - Throws: `ConvolutionError` naming `x` (the signal) where it is on the plane or its fiber has over 4096 elements.
  /// - Complexity: O(numbers) for the maximum, O(numbers · log² |H|) for the mean.
  public func groupPool(_ mode: PoolMode) throws(ConvolutionError) -> Signal {
    try checkPoolable()
    return try Signal(
      .plane,
      Tensor(shape: pooledShape) { output throws(ConvolutionError) in
        try EquiconvEngine.groupPool(
          mode, outer: batch * channels, order: order, inner: spatial.product, input: storage, output: output)
      })
  }

  /// The gradient of `<outputGradient, groupPool(mode)>` at this signal.
  ///
  /// The mean spreads `outputGradient` evenly over the fiber; the maximum passes it to the largest value, in equal
  /// parts if several are equal.
  ///
  /// - Parameters:
  ///   - outputGradient: (batch, channels, spatial…), like the pooled signal.
  ///   - mode: that of the pooling.
  /// - Returns: a signal like this one.
  /// - Throws: `ConvolutionError` naming `x` (the signal) or `outputGradient`.
  public func groupPoolGradient(from outputGradient: Signal, _ mode: PoolMode) throws(ConvolutionError) -> Signal {
    try checkPoolable()
    guard outputGradient.space == .plane, outputGradient.shape == pooledShape else {
      throw ConvolutionError(
        .invalidSize, .outputGradient, outputGradient.placeText,
        expected: "a signal on the plane, of shape \(shapeText(pooledShape)) as the output")
    }
    return try Signal(
      .group,
      Tensor(shape: shape) { gradient throws(ConvolutionError) in
        try EquiconvEngine.groupPoolGradient(
          mode, outer: batch * channels, order: order, inner: spatial.product, outputGradient: outputGradient.storage,
          input: storage, inputGradient: gradient)
      })
  }

  private var pooledShape: [Int] { [batch, channels] + spatial.values }

  private func checkPoolable() throws(ConvolutionError) {
    guard space == .group else {
      throw ConvolutionError(.dimensionMismatch, .x, placeText, expected: "a signal on the group")
    }
    guard order <= PointGroup.largestOrder else {
      throw ConvolutionError(
        .invalidSize, .x, placeText, expected: "at most \(PointGroup.largestOrder) elements on axis 2")
    }
  }
}
