// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
  /// Which algorithm a pass takes with so many images, and what it costs.
  ///
  /// - Throws: `invalidSize` for a negative batch, `unsupportedAlgorithm` where the descriptor's algorithm cannot do the pass.
  public func explain<S: EngineScalar>(
    _ pass: Pass, batch: Int, _: S.Type
  ) throws(ConvolutionError) -> Explanation {
    try Self.checkBatch(batch)
    let options = PassOptions(.current, threads(for: batch))
    let method = try method(pass, batch: batch, S.self, options)
    return Explanation(
      algorithm: method.algorithm, tile: 0, operations: flops(batch: batch), definitionOperations: flops(batch: batch),
      workspaceBytes: 0, weightBytes: 0, threads: options.threads, seconds: 0, reason: "")
  }

  /// The method of a pass: the cheapest of those that the descriptor's algorithm allows.
  func method<S: EngineScalar>(
    _ pass: Pass, batch: Int, _: S.Type, _ options: PassOptions
  ) throws(ConvolutionError) -> Method {
    switch descriptor.algorithm {
    case .auto, .direct: return .direct
    case .winograd:
      throw ConvolutionError(.unsupportedAlgorithm, "algorithm", "winograd", expected: "auto, direct or fourier")
    case .fourier:
      let correlation = try tilePlans.correlation(pass, of: self)
      let reach = max(correlation.reach.y, correlation.reach.x)
      return .fourier(length: FourierPlan.lengths.first { $0 >= reach + 8 } ?? 32)
    }
  }
}
