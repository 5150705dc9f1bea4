// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Which algorithm a call uses.
extension Convolution {
  /// How this layer computes a pass on a batch of signals, and what that costs. Nothing is computed.
  ///
  ///     print(try layer.explain(batch: 8, spatial: [64, 64]).algorithm)
  ///
  /// - Parameters:
  ///   - pass: forward, or one of the gradients.
  ///   - batch: at least 0.
  ///   - spatial: sizes of the signal in the order of its axes.
  /// - Returns: the algorithm with its arithmetic, its memory and an estimate of its time, for the current number of
  ///   `Threads` and `WorkspaceLimit`.
  /// - Throws: `ConvolutionError` if no such signal fits the layer, or if `algorithm` cannot do the pass.
  public func explain(
    _ pass: Pass = .forward, batch: Int, spatial: Extents
  ) throws(ConvolutionError) -> Explanation {
    try checkWeight()
    return try ConvolutionPlan.cached(descriptor(spatial: spatial)).explain(pass, batch: batch, Scalar.self)
  }

  /// How this layer computes a pass on `x`.
  /// - Throws: as `explain(_:batch:spatial:)`, and where `x` is not a signal for this layer.
  public func explain(_ pass: Pass = .forward, on x: Signal<Scalar>) throws(ConvolutionError) -> Explanation {
    try plan(for: x).explain(pass, batch: x.batch, Scalar.self)
  }
}
