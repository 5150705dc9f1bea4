// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// A layer whose weight was copied once and is transformed once, for inference.
///
/// Algorithms on tiles work on transformed weights. A `Convolution` finds those of an earlier call by comparing all
/// numbers of its weight; this keeps them, for all sizes of signals, as long as it lives. Made by `Convolution.prepared()`.
/// With the same algorithm and tile, results have the bits of the layer's own. Since transforms are not part of a call,
/// another algorithm may be the fastest; `explain` says which.
///
/// A value that shares its weights with its copies; it may be called from several threads at once.
public struct PreparedConvolution<Scalar: EngineScalar>: Sendable {
  /// The layer as it was when this was made.
  public let convolution: Convolution<Scalar>
  private let weight: PreparedWeight<Scalar>

  init(_ convolution: Convolution<Scalar>) throws(ConvolutionError) {
    try convolution.checkWeight()
    self.convolution = convolution
    weight = try PreparedWeight(copying: convolution.weight.storage, count: convolution.weight.storage.count)
  }

  /// Memory of the copied weight and of the transforms made so far.
  public var weightBytes: Int { weight.bytes }

  /// How this computes its layer on a batch of signals, and what that costs; see `Convolution.explain`.
  public func explain(batch: Int, spatial: Extents) throws(ConvolutionError) -> Explanation {
    try convolution.checkWeight()
    return try ConvolutionPlan.cached(convolution.descriptor(spatial: spatial))
      .explain(.forward, batch: batch, isPrepared: true, Scalar.self)
  }

  /// The layer applied to `x`; see `Convolution.callAsFunction`.
  public func callAsFunction(_ x: Signal<Scalar>) throws(ConvolutionError) -> Signal<Scalar> {
    let plan = try convolution.plan(for: x)
    return try Signal(
      convolution.outputSpace,
      Tensor(shape: plan.outputShape(batch: x.batch)) { output throws(ConvolutionError) in
        try plan.forward(batch: x.batch, input: x.storage, weight: weight, bias: convolution.bias, output: output)
      })
  }
}

extension Convolution {
  /// This layer with its weight copied and, when calls first need it, transformed: for many calls with one weight.
  ///
  /// Later changes of this layer do not affect it.
  /// - Throws: `ConvolutionError` where the weight does not fit, or memory cannot hold it.
  public func prepared() throws(ConvolutionError) -> PreparedConvolution<Scalar> { try PreparedConvolution(self) }
}

extension PreparedConvolution: CustomStringConvertible {
  /// For example "prepared Convolution<Float> plane → group of C4, …".
  public var description: String { "prepared \(convolution)" }
}
